import { readFileSync, writeSync } from 'node:fs';

import { KernelRefusal } from '../../domain/errors.ts';
import { listenToLibbpf, type LogMessage } from '../../ffi/libbpf-log.ts';
import { sendDescriptors } from '../descriptor-passing.ts';
import { BpfObject } from '../object.ts';
import { type LoadTask, type ObjectDescription, type ObjectReport, type ObjectTask, SOCKET_SLOT } from './task.ts';

/*
 * The program that reads a file of the user's in a process of its own (see parent.ts): libbpf trusts what stands in an ELF
 * file, and a damaged one makes it crash, or never come to an end.
 */

const NEWLINE = 10;

report(perform(readFileSync(0)));

function perform(input: Uint8Array): ObjectReport {
  const end = input.indexOf(NEWLINE);
  const task = JSON.parse(Buffer.from(input.subarray(0, end)).toString()) as ObjectTask;
  const messages: LogMessage[] = [];
  let reading = true;
  if (task.verbose) {
    listenToLibbpf((message) => {
      // What there is to say about reading was said when it was only read.
      if (task.load === undefined || !reading) messages.push(message);
    });
  }
  let object: ObjectDescription | undefined;
  try {
    // A copy of its own, aligned as malloc() does it.
    using opened = BpfObject.fromBytes(task.path, input.slice(end + 1));
    object = describe(opened);
    reading = false;
    return { messages, object, ...(task.load !== undefined && { sent: load(opened, task.load) }) };
  } catch (error) {
    if (!(error instanceof KernelRefusal)) throw error;
    const { operation, errno, facts } = error;
    const log = facts['log'] === undefined ? {} : { log: String(facts['log']) };
    return { messages, ...(object !== undefined && { object }), refusal: { operation, errno, ...log } };
  }
}

function describe({ programs, maps }: BpfObject): ObjectDescription {
  return {
    programs: programs.map(({ name, section, type, expectedAttachType }) => ({
      name,
      section,
      type,
      expectedAttachType,
    })),
    maps: maps.map(({ name, libbpfName, type, keySize, valueSize, maxEntries, pinPath }) => ({
      name,
      libbpfName,
      type,
      keySize,
      valueSize,
      maxEntries,
      ...(pinPath !== undefined && { pinPath }),
    })),
  };
}

function load(object: BpfObject, changes: LoadTask): NonNullable<ObjectReport['sent']> {
  for (const { index, autoload, type } of changes.programs) {
    const program = object.programs[index];
    if (type !== undefined) program?.setType(type.type, type.attachType);
    if (autoload !== undefined) program?.setAutoload(autoload);
  }
  for (const { index, fd, unpinned } of changes.maps) {
    if (fd !== undefined) object.maps[index]?.reuseDescriptor(fd);
    if (unpinned === true) object.maps[index]?.leaveUnpinned();
  }
  object.load();
  const programs = [...object.programs.entries()].filter(([, { fd }]) => fd >= 0);
  const maps = [...object.maps.entries()].filter(([, { fd }]) => fd >= 0);
  sendDescriptors(
    SOCKET_SLOT,
    [...programs, ...maps].map(([, { fd }]) => fd),
  );
  return { programs: programs.map(([index]) => index), maps: maps.map(([index]) => index) };
}

function report(answer: ObjectReport): void {
  const bytes = Buffer.from(JSON.stringify(answer));
  for (let at = 0; at < bytes.length;) at += writeSync(1, bytes, at);
}
