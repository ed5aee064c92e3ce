interface Counted {
  readonly count: number;
}

/** Items with the same key added up, in the order of first appearance. */
export function addUp<Item extends Counted>(items: Iterable<Item>, keyOf: (item: Item) => string): Item[] {
  const sums = new Map<string, Item>();
  for (const item of items) {
    const key = keyOf(item);
    const known = sums.get(key);
    sums.set(key, known === undefined ? item : { ...known, count: known.count + item.count });
  }
  return [...sums.values()];
}

/** What has come since `before`; items that did not grow are left out. */
export function since<Item extends Counted>(
  before: Iterable<Item>,
  now: Iterable<Item>,
  keyOf: (item: Item) => string,
): Item[] {
  const old = new Map(addUp(before, keyOf).map((item) => [keyOf(item), item.count]));
  return addUp(now, keyOf)
    .map((item) => ({ ...item, count: item.count - (old.get(keyOf(item)) ?? 0) }))
    .filter(({ count }) => count > 0);
}
