import { writeFileSync } from 'node:fs';

/** How others show this process (/proc/PID/comm), at most 15 characters; its command line stays as it is. */
export function nameProcess(name: string): void {
  try {
    writeFileSync('/proc/self/comm', name);
  } catch {
    // Without a writable /proc it keeps the name of the interpreter.
  }
}
