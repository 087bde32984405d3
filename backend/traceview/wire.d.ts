// The responses of the JSON API, for the type checker: the structs of views.py, result.py,
// names.py, query_api.py, useful_queries.py, query/form.py, query/printer.py, query/sql.py and storage/file.py.

export type Value = string | number | boolean | null | Value[] | { [name: string]: Value };
export type Attributes = { [name: string]: Value };

export interface FileStatus {
  stored: boolean;
  file: string;
  reason: string;
  bytes: number;
  max_bytes: number;
  failed: number;
  error: string;
}

export interface Omitted {
  spans: number;
  logs: number;
}

export interface Summary {
  trace_id: string;
  root_span_id: string | null;
  root_missing: boolean;
  name: string;
  service: string;
  services: string[];
  method: string | null;
  route: string | null;
  status: number | null;
  start_ns: string;
  duration_ms: number;
  spans: number;
  logs: number;
  errors: number;
  error: boolean;
  background: boolean;
  omitted: Omitted;
}

export interface ScopeView {
  name: string;
  version: string;
  attributes: Attributes;
}

export interface EventView {
  name: string;
  time_ns: string;
  offset_ms: number;
  attributes: Attributes;
}

export interface LinkView {
  trace_id: string;
  span_id: string;
  attributes: Attributes;
  here: boolean;
}

/** Milliseconds from the start of the span, and the length. */
export type Part = [number, number];

export interface SpanView {
  span_id: string;
  parent_span_id: string | null;
  parent_missing: boolean;
  depth: number;
  children: number;
  name: string;
  kind: string;
  start_ns: string;
  end_ns: string;
  duration_ms: number;
  self_ms: number;
  critical: Part[];
  gaps: Part[];
  repeat: number | null;
  status: string;
  status_message: string;
  service: string;
  attributes: Attributes;
  events: EventView[];
  links: LinkView[];
  dropped: { [what: string]: number };
  resource: Attributes;
  scope: ScopeView;
}

export interface LogView {
  span_id: string | null;
  time_ns: string;
  severity: string;
  severity_number: number;
  event_name: string;
  body: Value;
  service: string;
  attributes: Attributes;
  resource: Attributes;
  scope: ScopeView;
}

export interface RepeatView {
  name: string;
  count: number;
  total_ms: number;
}

export interface StepView {
  name: string;
  service: string;
  count: number;
  critical_ms: number;
  span_id: string;
  kind: string;
}

export interface FailureView {
  span_id: string;
  kind: string;
  name: string;
  type: string;
  message: string;
}

export interface TraceView {
  trace_id: string;
  summary: Summary;
  failure: FailureView | null;
  path: StepView[];
  spans: SpanView[];
  repeats: RepeatView[];
  statements: { [text: string]: string };
  logs: LogView[];
  omitted: Omitted;
}

export interface Peers {
  service: string;
  name: string;
  kind: string;
  count: number;
  p50_ms: number;
  p95_ms: number;
}

export interface Ranking {
  hours: number;
  peers: Peers[];
  spans: { [idAndKind: string]: [peers: number, percentile: number] };
  reason: string;
}

export interface Upload {
  spans: number;
  logs: number;
  points: number;
  rejected: number;
  reason: string;
  traces: string[];
}

export interface ForwardStatus {
  url: string;
  sent: number;
  failed: number;
  dropped: number;
  rejected: number;
  waiting: number;
  waiting_bytes: number;
  error: string;
}

export interface MetricView {
  name: string;
  kind: string;
  unit: string;
  description: string;
  temporality: string;
  service: string;
  attributes: Attributes;
  time_ns: string;
  value: number | string | null;
  count: number | string | null;
  sum: number | string | null;
  avg: number | string | null;
  min: number | string | null;
  max: number | string | null;
  resource: Attributes;
  scope: ScopeView;
}

export interface Parts {
  source: string;
  where: string;
  calculations: string;
  order: string;
  limit: string;
  range: string;
  background: string;
}

export interface Column {
  name: string;
  type: "text" | "number" | "boolean" | "time";
  unit: string;
  key: string;
}

export interface Share {
  kind: "value" | "missing" | "other";
  value: Cell;
  selection: number;
  rest: number;
  condition: string;
}

export interface Bin {
  lower: Cell;
  upper: Cell;
  selection: number;
  rest: number;
  condition: string;
}

export interface KeyDifference {
  key: string;
  unit: string;
  score: number;
  divergence: number;
  values: Share[];
  bins: Bin[];
  selection_median: Cell;
  rest_median: Cell;
  same_as: string;
}

export interface Difference {
  query: string;
  dataset: string;
  selection: string;
  after: string;
  before: string;
  since_ns: string;
  until_ns: string;
  selection_rows: number;
  rest_rows: number;
  selection_sampled: number;
  rest_sampled: number;
  margin: number;
  ranking: KeyDifference[];
  same: KeyDifference[];
  implied: KeyDifference[];
  keys: number;
  notes: string[];
  took_ms: number;
}

export type Cell = string | number | boolean | null;

export interface Result {
  query: string;
  parts: Parts;
  dataset: string;
  is_heat_map: boolean;
  since_ns: string;
  until_ns: string;
  step_ms: number;
  columns: Column[];
  rows: Cell[][];
  truncated: boolean;
  notes: string[];
  took_ms: number;
}

export interface LineView {
  id: number;
  cursor: string;
  trace_id: string | null;
  span_id: string | null;
  time_ns: string;
  severity: string;
  severity_number: number;
  event_name: string;
  body: Value;
  attributes: Attributes;
  origin: string;
}

export interface OriginView {
  service: string;
  resource: Attributes;
  scope: ScopeView;
}

export interface LinesView {
  lines: LineView[];
  origins: Record<string, OriginView>;
  parts: Parts;
  tail: number;
  has_older: boolean;
  has_newer: boolean;
  notes: string[];
}

export interface FormCondition {
  key: string;
  operator: string;
  value: string;
  text: string;
}

export interface FormCalculation {
  function: string;
  key: string;
}

export interface FormOrder {
  term: string;
  descending: boolean;
}

export interface QueryForm {
  dataset: "spans" | "roots" | "logs" | "metrics" | "exemplars";
  conditions: FormCondition[];
  calculations: FormCalculation[];
  by: string[];
  every: string;
  order: FormOrder[];
  limit: number | null;
  since: string;
  until: string;
  background: boolean;
}

export interface FormAnswer {
  query: string;
  parts: Parts;
  form: QueryForm;
  terms: string[];
}

export interface Key {
  name: string;
  text: string;
  kind: string;
  unit: string;
  count: number;
}

export interface KeyValue {
  value: string;
  text: string;
  count: number | null;
}

export interface Option {
  text: string;
  kind: "key" | "value" | "function" | "word";
  detail: string;
  count: number | null;
}

export interface Completions {
  start: number;
  end: number;
  options: Option[];
}

export interface UsefulQuery {
  name: string;
  question: string;
  query: string;
}

export interface SavedQuery {
  name: string;
  query: string;
}

export interface Queries {
  useful: UsefulQuery[];
  saved: SavedQuery[];
}

export interface MetricInfo {
  service: string;
  name: string;
  kind: string;
  unit: string;
  description: string;
  temporality: string;
  is_monotonic: boolean;
  series: number;
  keys: string[];
  exemplars: number;
}
