import { checkCause, healthCodes } from '../../domain/check-catalogue.ts';
import { causesOfErrno, dropCause, isDropCode } from '../../domain/drop-catalogue.ts';
import type { DropCause } from '../../domain/drop-catalogue/cause.ts';
import { errnoName, errnoNumber } from '../../domain/errno.ts';
import type { Outcome } from '../../output/outcome.ts';
import { unknownWord } from '../program.ts';
import type { Verb } from '../verb.ts';
import { WordList } from '../words/word-list.ts';

export const verb: Verb = {
  object: 'debug',
  name: 'explain',
  summary: 'explain a code of debug drops or redirect check, or an errno',
  synopsis: ['CODE|ERRNO'],
  description: [
    'Says what a code means: what happens in the kernel and in which function, by which event it shows, what differs between kernels, and what mends it. For an errno, by name or number, all codes that show themselves by it.',
  ],
  arguments: [
    { name: 'CODE', description: healthCodes.join(', '), choices: healthCodes },
    { name: 'ERRNO', description: 'e.g. ENXIO or 6' },
  ],
  json: 'an array of causes: code, summary, explanation, signals, functions, fix, versions',
  examples: [
    {
      command: 'xdpctl debug explain target-no-xmit',
      description: 'why a veth loses redirected frames',
      output: `
target-no-xmit: the target cannot transmit redirected frames now: no NDO_XMIT
(EOPNOTSUPP; ENXIO before 6.3)
…
  fix      veth: \`ethtool -K PEER gro on\` where the peer is; …`,
    },
    {
      command: 'xdpctl -j debug explain ENXIO',
      description: 'every cause that shows itself by ENXIO',
      output: `
[{"code":"target-no-xmit",…},
 {"code":"target-no-carrier",…},
 {"code":"xsk-unbound",…}]`,
    },
  ],
  run(input): Outcome {
    const words = new WordList(input.words);
    const word = words.take('the code or errno');
    words.end();
    const causes = causesOf(word);
    return {
      kind: 'report',
      data: causes,
      text: (paint) =>
        causes.length === 0
          ? `${word}: no lost frame shows itself by it\n`
          : causes.map((cause) => causeText(cause, paint)).join('\n'),
    };
  },
};

/** @throws ToolError usage */
function causesOf(word: string): readonly DropCause[] {
  if (isDropCode(word)) return [dropCause(word)];
  const fault = checkCause(word);
  return fault === undefined ? causesOfErrno(nameOfErrno(word)) : [fault];
}

/** @throws ToolError usage for a word that is neither a code nor an errno */
function nameOfErrno(word: string): string {
  const number = /^-?[0-9]+$/.test(word) ? Math.abs(Number(word)) : errnoNumber(word);
  const name = number === undefined ? undefined : errnoName(number);
  if (name === undefined) throw unknownWord('code or errno', word, healthCodes, 'see: xdpctl debug explain --help');
  return name;
}

type Paint = (tone: 'strong' | 'dim' | 'ok', text: string) => string;

function causeText(cause: DropCause, paint: Paint): string {
  const signals = cause.signals.map(({ event, errno, field, action, reason, mode, since, before }) =>
    [
      event,
      errno,
      field,
      action,
      reason,
      mode && `${mode} mode`,
      since && `from Linux ${since}`,
      before && `before Linux ${before}`,
    ]
      .filter(Boolean)
      .join(' '),
  );
  // What redirect check finds need not be lost anywhere.
  const where = signals.length === 0 ? 'kernel ' : 'lost in';
  return [
    `${paint('strong', cause.code)}: ${cause.summary}`,
    '',
    `  ${cause.explanation}`,
    '',
    ...signals.map((signal) => `  ${paint('dim', 'seen as')}  ${signal}`),
    ...(cause.functions.length === 0 ? [] : [`  ${paint('dim', where)}  ${cause.functions.join(', ')}`]),
    ...(cause.versions ?? []).map((text) => `  ${paint('dim', 'kernels')}  ${text}`),
    `  ${paint('ok', 'fix')}      ${cause.fix}`,
    '',
  ].join('\n');
}
