import { libbpfVersion } from '../kernel/libbpf-version.ts';
import { one, type One } from '../output/outcome.ts';

declare const __VERSION__: string | undefined;

/** xdpctl's own version, as in package.json. */
export const version = typeof __VERSION__ === 'string' ? __VERSION__ : 'development';

/** `xdpctl version`, with bpftool's keys. A missing libbpf is no failure here. */
export function versionOutcome(): One {
  const libbpf = libbpfVersion();
  return one({ version, libbpf_version: libbpf ?? null, features: {} }, [
    ['xdpctl', version],
    ['libbpf', libbpf ?? 'not found'],
  ]);
}
