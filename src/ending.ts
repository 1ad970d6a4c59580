/** How a process is asked to end: once with patience, by a second Ctrl-C without. */

/** npm hands the terminal's signal on to a process that has it already. */
const sameCtrlCMs = 500;

/** @param endAtOnce Another signal than Ctrl-C, or the same one again within half a second, does not call it. */
export function onEnd(stop: () => void, endAtOnce: () => void): void {
  let interruptedAt: number | undefined;
  process.on('SIGTERM', stop);
  process.on('SIGINT', () => {
    const now = performance.now();
    if (interruptedAt !== undefined && now - interruptedAt > sameCtrlCMs) endAtOnce();
    interruptedAt ??= now;
    stop();
  });
}
