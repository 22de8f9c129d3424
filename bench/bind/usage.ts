import { readFileSync } from 'node:fs';

/** Clock ticks a second in /proc: a constant of the kernel's interface. */
const ticksPerSecond = 100;

/** Processor seconds, user and system, that a live process has used since it began. Linux only. */
export function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The name in parentheses may hold blanks; what follows it does not.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}

/** The most memory that a live process has held, in MiB. Linux only. */
export function peakMemoryMiB(pid: number): number {
  const kib = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Math.round(Number(kib) / 1024);
}

/** Processor seconds, user and system, that all processes of the machine have used since it started. Linux only. */
export function machineCpuSeconds(): number {
  const [user, nice, system, , , irq, softirq] = readFileSync('/proc/stat', 'utf8')
    .slice(3)
    .trim()
    .split(/\s+/)
    .map(Number);
  return [user, nice, system, irq, softirq].reduce((sum: number, ticks) => sum + (ticks ?? NaN), 0) / ticksPerSecond;
}
