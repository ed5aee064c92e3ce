import { closeSync, constants, openSync, readSync } from 'node:fs';

import { describe, expect, it, onTestFinished, vi } from 'vitest';

import { DescriptorStream } from '../../src/output/descriptor-stream.ts';
import { TemporaryFolder } from '../support/temporary-folder.ts';
import { tool } from '../support/tool.ts';

/** More than a pipe holds. */
const MUCH = 200_000;

describe('a stream in a hurry', () => {
  it('gives a reader that takes nothing a second from when there is something to take', async () => {
    using folder = new TemporaryFolder();
    const path = folder.file('pipe');
    tool('mkfifo', [path]);
    const pipe = openSync(path, constants.O_RDWR);
    onTestFinished(() => closeSync(pipe));
    vi.useFakeTimers({ toFake: ['setInterval'] });
    onTestFinished(() => void vi.useRealTimers());

    const stream = new DescriptorStream(pipe);
    stream.hurry();
    vi.advanceTimersByTime(999);
    const written = stream.write(new Uint8Array(MUCH));
    vi.advanceTimersByTime(1);
    expect(stream.abandoned).toBe(false);
    vi.advanceTimersByTime(1000);
    expect(stream.abandoned).toBe(true);
    await written;

    // The thread that writes would keep the process from ending.
    for (let left = MUCH; left > 0;) left -= readSync(pipe, new Uint8Array(left));
  });
});
