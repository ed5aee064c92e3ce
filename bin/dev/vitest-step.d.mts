export interface Result {
  readonly name: string;
  /** That of a test which told its end itself. */
  readonly file?: string;
  readonly state: 'passed' | 'failed' | 'skipped';
  readonly reason?: string;
}
export interface Step {
  readonly root: string;
  readonly project: string;
  readonly patterns: string[];
  readonly seconds: number;
}
export function vitestStep(step: Step): Promise<Result[]>;
