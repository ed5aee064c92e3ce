import { KernelRefusal } from '../../../domain/errors.ts';
import type { ProgramInfo } from '../../../domain/program-info.ts';
import { type PinsById, pinsOf } from '../../../kernel/pins.ts';
import { BpfProgram } from '../../../kernel/program.ts';
import { jsonText } from '../../../output/json.ts';
import type { Warning } from '../../../output/reporter.ts';
import type { Omissions } from './omissions.ts';

/** Programs of entries as JSON text: by the path of a pin; without one by name or tag, which a later import has to find. */
export class ProgramTexts {
  readonly warnings: Warning[] = [];
  readonly #omissions: Omissions;
  readonly #known = new Map<number, string | undefined>();
  #pins: PinsById | undefined;

  constructor(omissions: Omissions) {
    this.#omissions = omissions;
  }

  /** undefined when the program cannot be named. */
  text(id: number): string | undefined {
    if (!this.#known.has(id)) this.#known.set(id, this.#lookUp(id));
    const text = this.#known.get(id);
    if (text === undefined) this.#omissions.because('program', `program ${id}`);
    return text;
  }

  #lookUp(id: number): string | undefined {
    this.#pins ??= pinsOf('prog');
    const [path] = this.#pins.get(id) ?? [];
    if (path !== undefined) return jsonText(path, false);
    const info = programInfo(id);
    if (info === undefined) return undefined;
    const by = info.name === '' ? `tag:${info.tag}` : `name:${info.name}`;
    this.warnings.push({
      message: `program ${id}${info.name === '' ? '' : ` (${info.name})`} has no pin: entries name it as ${by}, and an import finds it only while it is loaded`,
      hint: ({ own }) => `pin it and export again: ${own(['prog', 'pin', 'id', String(id), 'PIN'])}`,
    });
    return jsonText(by, false);
  }
}

function programInfo(id: number): ProgramInfo | undefined {
  try {
    using program = BpfProgram.byId(id);
    return program.info;
  } catch (error) {
    if (error instanceof KernelRefusal) return undefined;
    throw error;
  }
}
