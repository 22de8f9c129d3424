import { table } from './table.ts';
import type { Progress } from './progress.ts';

const barWidth = 30;
const reasonsShown = 4;

/** The state of a run in one line. */
export function progressLine(progress: Progress): string {
  const { phase, submitted, jobs, counts, elapsedSeconds, gpusInUse, gpus } = progress;
  return [
    `${clock(elapsedSeconds)} ${phase}`,
    `jobs ${submitted}/${jobs} submitted, ${countsText(counts)}`,
    `GPUs ${gpusInUse}/${gpus}`,
    `waiting: ${reasonsText(progress)}`,
  ].join(' | ');
}

/**
 * The state of a run as a picture of whole lines.
 *
 * @param size of the terminal: what does not fit is cut off
 */
export function progressPicture(
  progress: Progress,
  size: { readonly rows: number; readonly columns: number },
): string[] {
  const { phase, submitted, jobs, counts, elapsedSeconds, leftSeconds, gpusInUse, gpus, quotas } = progress;
  const left =
    phase === 'replay' ? `${clock(leftSeconds)} left` : `waiting for the rest, ${clock(leftSeconds)} at most`;
  const head = [
    `Jobs  ${bar(counts.done + counts.failed, jobs)} ${submitted}/${jobs} submitted, ${countsText(counts)}`,
    `GPUs  ${bar(gpusInUse, gpus)} ${gpusInUse}/${gpus} in use (${percent(gpusInUse, gpus)})`,
    `Time  ${clock(elapsedSeconds)} elapsed, ${left}`,
    `Waits ${reasonsText(progress)}`,
    ...progress.investments.map(
      ({ name, phase: state, contributed, matched, effectiveEntitlement }) =>
        `Investment ${name}: ${state}, contributed ${contributed}, matched ${matched}, entitlement ${effectiveEntitlement}`,
    ),
    '',
  ];
  const rows = table(
    ['institution', 'guaranteed', 'used', 'borrowed', 'lent', 'pending'],
    quotas.map((quota) => [
      quota.name,
      quota.guaranteed,
      quota.used,
      quota.borrowed,
      quota.lent,
      quota.selectsNamespaces ? String(quota.pending) : '',
    ]),
  );
  // The cursor needs the last row.
  const room = Math.max(1, size.rows - 1 - head.length);
  const hidden = rows.length - room;
  const shown = hidden > 0 ? [...rows.slice(0, room - 1), `... ${hidden + 1} more`] : rows;
  return [...head, ...shown].map((line) => line.slice(0, size.columns));
}

function reasonsText({ waiting }: Progress): string {
  if (waiting.length === 0) return 'none';
  const shown = waiting.slice(0, reasonsShown).map(({ reason, jobs }) => `${reason} ${jobs}`);
  const others = waiting.slice(reasonsShown).reduce((sum, { jobs }) => sum + jobs, 0);
  return [...shown, ...(others > 0 ? [`others ${others}`] : [])].join(', ');
}

function countsText({ done, failed, running, pending }: Progress['counts']): string {
  const parts = [`${running} running`, `${pending} pending`, `${done} done`];
  return [...parts, ...(failed > 0 ? [`${failed} failed`] : [])].join(', ');
}

function bar(part: number, whole: number): string {
  const filled = whole === 0 ? 0 : Math.min(barWidth, Math.round((barWidth * part) / whole));
  return `[${'#'.repeat(filled)}${'.'.repeat(barWidth - filled)}]`;
}

function percent(part: number, whole: number): string {
  return `${whole === 0 ? 0 : Math.round((100 * part) / whole)} %`;
}

/** Minutes and seconds: `2:05`. */
function clock(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}`;
}

/** Where progress goes: standard output, or a test. */
interface Screen {
  readonly isTTY?: boolean;
  readonly rows?: number;
  readonly columns?: number;
  write(text: string): boolean;
}

const redrawMilliseconds = 500;
const lineMilliseconds = 5000;

/**
 * Shows progress until it is stopped: a picture that is redrawn in place twice a second in a terminal, elsewhere a line
 * every five seconds. Stopping shows the last state once more.
 */
export function showProgress(progress: () => Progress, screen: Screen): () => void {
  let drawn = 0;
  const draw = () => {
    if (screen.isTTY !== true) {
      screen.write(`${progressLine(progress())}\n`);
      return;
    }
    const lines = progressPicture(progress(), { rows: screen.rows ?? 24, columns: screen.columns ?? 80 });
    const back = drawn === 0 ? '' : `\u001b[${drawn}A\r\u001b[J`;
    screen.write(`${back}${lines.join('\n')}\n`);
    drawn = lines.length;
  };
  const timer = setInterval(draw, screen.isTTY === true ? redrawMilliseconds : lineMilliseconds);
  return () => {
    clearInterval(timer);
    draw();
  };
}
