import { wholeDevice } from '../snapshot/index.ts';

/** What is left of opened devices, in thousandths, side by side with the dimension that each device belongs to. */
export class Parts {
  readonly dims: number[] = [];
  readonly left: number[] = [];
  count = 0;
  /** Sum of `left`. */
  total = 0;

  clear(): void {
    this.count = 0;
    this.total = 0;
  }

  add(dim: number, left: number): void {
    this.dims[this.count] = dim;
    this.left[this.count] = left;
    this.count++;
    this.total += left;
  }

  copy(from: Parts): void {
    this.clear();
    for (let i = 0; i < from.count; i++) this.add(from.dims[i] as number, from.left[i] as number);
  }

  /**
   * Takes `milli` from the opened device with the least left that holds it, else opens one of the whole devices in
   * `free[dim]`: the rule of {@link DeviceShares}. False = no device holds it.
   */
  take(dim: number, milli: number, free: Float64Array): boolean {
    let best = -1;
    for (let i = 0; i < this.count; i++) {
      const left = this.left[i] as number;
      if (this.dims[i] === dim && left >= milli && (best < 0 || left < (this.left[best] as number))) best = i;
    }
    if (best < 0) {
      const whole = free[dim] as number;
      if (whole < 1) return false;
      free[dim] = whole - 1;
      best = this.count;
      this.add(dim, wholeDevice);
    }
    this.left[best] = (this.left[best] as number) - milli;
    this.total -= milli;
    return true;
  }
}
