import { expect, it } from 'vitest';

import { growing, type Sample, trendsOf, trendTable } from './support/trend.ts';

function samples(value: (at: number) => number): Sample[] {
  return Array.from({ length: 40 }, (_, at) => ({ at, values: { descriptors: value(at) } }));
}

it('a leak of one in ten samples is seen', () => {
  const trends = trendsOf(samples((at) => 20 + Math.floor(at / 10)));
  expect(growing(trends, {})).toEqual([expect.stringMatching(/^descriptors rise by [23]\.\d, from 21 to 23$/)]);
});

it('what goes up and down, or only up while it warms up, does not grow', () => {
  expect(growing(trendsOf(samples((at) => 20 + (at % 3))), {})).toEqual([]);
  expect(growing(trendsOf(samples((at) => Math.min(at, 5))), {})).toEqual([]);
});

it('what comes down as far as before does not grow, however high it goes', () => {
  expect(growing(trendsOf(samples((at) => (at % 4 === 0 ? 20 : 20 + at))), {})).toEqual([]);
  expect(growing(trendsOf(samples((at) => (at % 4 === 0 ? 20 : 20 + at) + at / 10)), {})).toHaveLength(1);
});

it('a high at the very end is no low, however many samples there are', () => {
  const more = [...samples(() => 20), { at: 40, values: { descriptors: 60 } }];
  expect(growing(trendsOf(more), {})).toEqual([]);
});

it('a number may rise by as much as is allowed', () => {
  const trends = trendsOf(samples((at) => 1000 + at));
  expect(growing(trends, { descriptors: 28 })).toEqual(['descriptors rise by 29.0, from 1010 to 1039']);
  expect(growing(trends, { descriptors: 30 })).toEqual([]);
});

it('the table tells first and last, least and most, and the rise', () => {
  expect(
    trendTable(
      'batch',
      'lines',
      samples((at) => Math.max(at, 30)),
    ).split('\n'),
  ).toEqual([
    'batch (40 samples, 10 to 39 lines told)',
    '             first  last  least  most  rise',
    expect.stringMatching(/^descriptors {5}30    39     30    39 {2,}\d+\.\d$/),
  ]);
});
