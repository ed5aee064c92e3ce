import { ToolError } from '../../domain/errors.ts';
import { surveySockets, type SurveyedSocket } from '../../kernel/af-xdp/socket-survey.ts';
import { currentNetnsInode } from '../../kernel/namespaces.ts';
import type { BindRequest } from './bind-request.ts';

const EBUSY = 16;

/**
 * The socket that is bound to a queue of a device of the current network namespace; undefined where there is none, or none
 * that this process may know of. One that nobody holds any more is being released.
 */
export function holderOf(ifindex: number, queue: number): SurveyedSocket | undefined {
  const netns = currentNetnsInode();
  return surveySockets().sockets.find(
    ({ details }) =>
      details?.state === 'bound' && details.ifindex === ifindex && details.queue === queue && details.netns === netns,
  );
}

/** The error for a queue that another socket has. */
export function queueTaken({ ifname, queue }: BindRequest, holder: SurveyedSocket | undefined): ToolError {
  const owners = (holder?.owners ?? []).map(({ pid, comm }) => `${comm}(${pid})`).join(' ');
  return new ToolError(
    'conflict',
    `queue ${queue} of ${ifname} has an AF_XDP socket already${owners === '' ? '' : `, of ${owners}`}`,
    {
      hint: ({ own }) => `end its owner, or take another queue; see: ${own(['xsk', 'show', ifname])}`,
      errno: EBUSY,
      operation: 'xsk bind',
    },
  );
}
