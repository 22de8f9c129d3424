import type { BudgetLine, Charge } from '../../core/budget/index.ts';
import { budgetAvailable, type BudgetNow } from '../../core/status/index.ts';

/** Figures that move by themselves are shown this often; sooner when they have moved by a hundredth of the budget. */
const oftenMs = 60_000;
const noticeable = 100n;

/**
 * Budgets as statuses show them: in steps, so that a charge that never rests does not write the status without end. What
 * turns a condition, and every change of the budget itself, is shown at once.
 */
export class ShownBudgets {
  readonly #shown = new Map<string, { readonly view: BudgetNow; readonly substance: string }>();

  /** What a quota's status should show: the view, or an earlier one that differs little. */
  shownOf(quota: string, view: BudgetNow): BudgetNow {
    const shown = this.#shown.get(quota);
    const substance = substanceOf(view);
    if (shown !== undefined && shown.substance === substance && !isDue(shown.view, view)) return shown.view;
    this.#shown.set(quota, { view, substance });
    return view;
  }

  /** Shows a quota's next view whatever it is: by now the ledger has said what until then was not known. */
  forget(quota: string): void {
    this.#shown.delete(quota);
  }

  /** Whether the use of some budget has reached a mark that its status does not show. O(budgets). */
  someCrossed(usedNow: (quota: string) => Charge): boolean {
    for (const [quota, { view }] of this.#shown) {
      const { own } = view;
      if (own !== undefined && marksOf(own.line, usedNow(quota)) > marksOf(own.line, own.line.used)) return true;
    }
    return false;
  }
}

function substanceOf(view: BudgetNow): string {
  const { status, reason } = budgetAvailable(view);
  const { limits } = view.own?.line ?? {};
  const marks = view.own === undefined ? 0 : marksOf(view.own.line, view.own.line.used);
  const terms = [limits?.granted, limits?.carriedOver, limits?.period.start, limits?.period.end];
  return JSON.stringify([status, reason, ...terms, view.own?.book.history, marks]);
}

/** How many of the marks are reached at which people are warned. */
function marksOf({ limits }: BudgetLine, used: Charge): number {
  return [80n, 90n, 100n].filter((percent) => used * 100n >= limits.softCharge * percent).length;
}

function isDue(shown: BudgetNow, view: BudgetNow): boolean {
  const [before, after] = [shown.own?.line, view.own?.line];
  if (view.now - shown.now >= oftenMs || view.now < shown.now) return true;
  if (before === undefined || after === undefined) return before !== after;
  if (view.own?.book.rate !== shown.own?.book.rate) return true;
  const moved = [after.used - before.used, after.reserved - before.reserved];
  return moved.some((amount) => (amount < 0n ? -amount : amount) * noticeable > after.limits.softCharge);
}
