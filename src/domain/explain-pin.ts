import type { KernelRefusal } from './errors.ts';
import type { Explanation } from './explanation.ts';

const ENOENT = 2;
const EEXIST = 17;
const EINVAL = 22;
const ENOSPC = 28;

/** Words for a pin that was not made. */
export function explainPin(refusal: KernelRefusal): Explanation | undefined {
  const path = String(refusal.facts['path']);
  switch (refusal.errno) {
    case EEXIST:
      return { kind: 'conflict', message: `${path} exists already` };
    case ENOENT:
      return { kind: 'not-found', message: `the directory of ${path} does not exist` };
    case EINVAL:
      return { kind: 'usage', message: `${path} is not below a mounted bpffs` };
    case ENOSPC:
      return { kind: 'refused', message: `no room in the bpffs for ${path}` };
    default:
      return undefined;
  }
}

/** Words for a pin that was not opened or removed. */
export function explainPinGet(refusal: KernelRefusal): Explanation | undefined {
  const path = String(refusal.facts['path']);
  switch (refusal.errno) {
    case ENOENT:
      return {
        kind: 'not-found',
        message: `there is no pin ${path}`,
        ...(refusal.facts['mounted'] === false && {
          hint: "bpffs is not mounted here; 'ip netns exec' hides it: use xdpctl --netns NAME instead",
        }),
      };
    case EINVAL:
      return { kind: 'usage', message: `${path} is an ordinary file, not a pin` };
    default:
      return undefined;
  }
}
