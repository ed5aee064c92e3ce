/** A drawing of boxes and arrows, before it is written in the language of a program that draws. */
export interface Graph {
  readonly nodes: readonly GraphNode[];
  readonly edges: readonly GraphEdge[];
}

/** What is wrong is drawn in red. */
export interface GraphNode {
  /** Letters, digits and underscores, beginning with a letter. */
  readonly id: string;
  readonly shape: 'device' | 'program' | 'map' | 'nothing';
  readonly lines: readonly string[];
  readonly bad: boolean;
}

export interface GraphEdge {
  readonly from: string;
  readonly to: string;
  readonly lines: readonly string[];
  readonly bad: boolean;
}
