import { parser } from '@prometheus-io/lezer-promql';
import type { SyntaxNode } from '@lezer/common';

/** A metric that an expression reads, and what it asks of its labels. */
export interface Selection {
  readonly metric: string;
  readonly matchers: readonly { readonly label: string; readonly operator: string; readonly value: string }[];
}

/** Labels by which a part of an expression groups or joins, and the metrics in that part. */
export interface Grouping {
  readonly labels: readonly string[];
  readonly metrics: readonly string[];
}

export interface Expression {
  readonly selections: readonly Selection[];
  readonly groupings: readonly Grouping[];
}

/** Reads PromQL. @throws Error with the place where it is no PromQL */
export function readPromQl(text: string): Expression {
  const selections: Selection[] = [];
  const groupings: Grouping[] = [];
  parser.parse(text).iterate({
    enter: ({ type, from, node }) => {
      if (type.isError) throw new Error(`no PromQL at ${from}: ${text.slice(0, from)} <here> ${text.slice(from)}`);
      if (type.name === 'VectorSelector') selections.push(selectionOf(node, text));
      if (type.name === 'GroupingLabels') groupings.push(groupingOf(node, text));
    },
  });
  return { selections, groupings };
}

function selectionOf(node: SyntaxNode, text: string): Selection {
  const name = node.getChild('Identifier');
  if (name === null) throw new Error(`a selector without a metric: ${textOf(node, text)}`);
  const matchers = below(node, 'UnquotedLabelMatcher').map((matcher) => ({
    label: textOf(matcher.getChild('LabelName'), text),
    operator: textOf(matcher.getChild('MatchOp'), text),
    value: textOf(matcher.getChild('StringLiteral'), text).slice(1, -1),
  }));
  return { metric: textOf(name, text), matchers };
}

/** The metrics are those of the aggregation or of both sides of the operation that the labels belong to. */
function groupingOf(node: SyntaxNode, text: string): Grouping {
  let owner: SyntaxNode = node;
  while (owner.name !== 'AggregateExpr' && owner.name !== 'BinaryExpr' && owner.parent !== null) owner = owner.parent;
  return {
    labels: node.getChildren('LabelName').map((label) => textOf(label, text)),
    metrics: below(owner, 'VectorSelector').map((selector) => textOf(selector.getChild('Identifier'), text)),
  };
}

function below(node: SyntaxNode, name: string): SyntaxNode[] {
  const found: SyntaxNode[] = [];
  node.cursor().iterate((one) => {
    if (one.name === name) found.push(one.node);
  });
  return found;
}

function textOf(node: SyntaxNode | null, text: string): string {
  return node === null ? '' : text.slice(node.from, node.to);
}
