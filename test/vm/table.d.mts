/** See table.mjs. */
export interface KernelResults {
  readonly kernel: string;
  readonly release: string;
  readonly features: Readonly<Record<string, string>>;
  readonly losses: Readonly<
    Record<string, { readonly told: number; readonly unseen: number; readonly absent: number; readonly failed: number }>
  >;
}

export function summary(column: {
  readonly name: string;
  readonly release: string;
  readonly results: readonly { readonly file: string; readonly name: string; readonly state: string }[];
}): KernelResults;
export function readResults(): KernelResults[];
export function merged(known: readonly KernelResults[], found: readonly KernelResults[]): KernelResults[];
export function tableOf(all: readonly KernelResults[]): string;
export function withTable(readme: string, table: string): string;
