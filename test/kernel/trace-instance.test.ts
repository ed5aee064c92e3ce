import { mkdirSync, readdirSync, rmdirSync } from 'node:fs';

import { describe, expect, it, onTestFinished } from 'vitest';

import { loadBuiltinProgram } from '../../src/kernel/builtin-objects.ts';
import { LiveFrames } from '../../src/kernel/live-frames.ts';
import { inNetns } from '../../src/kernel/netns.ts';
import { loadRedirectProgram } from '../../src/kernel/redirect-program.ts';
import { mountKernelFilesystem } from '../../src/kernel/tracefs-mount.ts';
import { attachXdp } from '../../src/kernel/xdp-attachment.ts';
import { TraceInstance } from '../../src/tracing/trace-instance.ts';
import { ensureTracefs } from '../../src/tracing/tracefs.ts';
import { needKernel } from '../support/kernel-has.ts';
import { expectNothingNew, kernelState } from '../support/leaks.ts';
import { PacketSocket } from '../support/packet-socket.ts';
import { tool } from '../support/tool.ts';
import { createWorld } from '../support/world.ts';

const tracefs = ensureTracefs(mountKernelFilesystem);
const passed = { group: 'net', name: 'netif_receive_skb_list_entry' };

function instances(): string[] {
  return readdirSync(`${tracefs}/instances`);
}

describe('a trace instance', () => {
  it('tells somebody who is not root what is missing', () => {
    const [root, nobody] = [0, 65_534];
    process.seteuid!(nobody);
    onTestFinished(() => process.seteuid!(root));
    const refused = (): unknown => new TraceInstance(tracefs, [passed], 'thread');
    expect(refused).toThrow(
      `cannot make a trace instance in ${tracefs}: EACCES; tracefs is root's, or takes CAP_DAC_OVERRIDE`,
    );
    process.seteuid!(root);
    expect(instances().filter((name) => name.includes(`_${process.pid}_`))).toEqual([]);
  });

  it('sees the events of its thread only, each once, and leaves nothing', async (context) => {
    needKernel(context, '5.18');
    const before = kernelState();
    {
      using world = createWorld();
      const namespace = world.namespace();
      const { a } = world.veth({ namespace }, { namespace });
      using program = loadBuiltinProgram('pass');
      const frame = new Uint8Array(60).fill(2, 0, 12);
      using trace = new TraceInstance(tracefs, [passed], 'thread');
      using all = new TraceInstance(tracefs, [{ group: 'sched', name: 'sched_process_exit' }], 'thread');
      inNetns(namespace, () => {
        const frames = new LiveFrames(program, frame, a.ifindex);
        expect(frames.rehearse()).toBe(2);
        frames.send(20);
      });
      expect(trace.read()).toHaveLength(20);
      expect(trace.read()).toEqual([]);
      // A child that ends is not this thread, although it began there.
      tool('true', []);
      expect(all.read()).toEqual([]);
      expect([trace.lost, all.lost]).toEqual([0, 0]);
    }
    await expectNothingNew(before);
  });

  it('has no room for what interrupts do that stop its thread', () => {
    using world = createWorld();
    const namespace = world.namespace();
    const { a, b } = world.veth({ namespace }, { namespace });
    const config = { onMiss: 'aborted', key: 'ingress', broadcast: false, excludeIngress: false } as const;
    using loaded = loadRedirectProgram('redirect_devmap_hash', config, undefined);
    const aborted = { group: 'xdp', name: 'xdp_exception', filter: `prog_id == ${loaded.program.info.id}` };
    using trace = new TraceInstance(tracefs, [aborted], 'thread');
    using all = new TraceInstance(tracefs, [aborted], 'all');
    inNetns(namespace, () => {
      attachXdp(b.ifindex, loaded.program.fd, 'native');
      using socket = new PacketSocket(a.name);
      // A softirq at the end of each system call takes the frame in, mostly before this thread goes on.
      for (let sent = 0; sent < 6000; sent += 1) socket.send(socket.frame(60));
    });
    expect(trace.read()).toEqual([]);
    expect(trace.lost).toBe(0);
    expect(all.read().length).toBeGreaterThan(100);
  });

  it('says how many events did not fit', (context) => {
    needKernel(context, '5.18');
    using world = createWorld();
    const namespace = world.namespace();
    const { a } = world.veth({ namespace }, { namespace });
    const config = { onMiss: 'pass', key: 'ingress', broadcast: false, excludeIngress: false } as const;
    using loaded = loadRedirectProgram('redirect_devmap_hash', config, undefined);
    using trace = new TraceInstance(tracefs, [passed], 'thread');
    // Each CPU has a buffer, and this thread may go from one to another.
    const count = 30_000;
    inNetns(namespace, () => {
      const frames = new LiveFrames(loaded.program, new Uint8Array(60).fill(2, 0, 12), a.ifindex);
      for (let sent = 0; sent < count; sent += 200) frames.send(200);
    });
    const seen = trace.read().length;
    expect(seen).toBeLessThan(count);
    expect(trace.lost).toBe(count - seen);
  });

  it('removes what processes that are gone have left, and nothing else', () => {
    // A pid that no process can have (PID_MAX_LIMIT), and one that lives.
    const [left, alive, others] = ['xdpctl_4194305_0', `xdpctl_1_0`, 'xdpctl_other'].map(
      (name) => `${tracefs}/instances/${name}`,
    );
    for (const folder of [left!, alive!, others!]) {
      mkdirSync(folder);
      onTestFinished(() => {
        if (instances().some((name) => folder.endsWith(`/${name}`))) rmdirSync(folder);
      });
    }
    using _trace = new TraceInstance(tracefs, [passed], 'thread');
    expect(instances()).not.toContain('xdpctl_4194305_0');
    expect(instances()).toEqual(expect.arrayContaining(['xdpctl_1_0', 'xdpctl_other']));
  });

  it('is not left when an event is not there', () => {
    const before = instances();
    expect(() => new TraceInstance(tracefs, [{ group: 'xdp', name: 'nothing_so' }], 'all')).toThrow(
      'no tracepoint xdp:nothing_so',
    );
    expect(instances()).toEqual(before);
  });
});
