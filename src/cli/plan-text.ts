import type { Plan, PlanChange, PlanForecast, PlanImpact, PlanSpans } from '../server/contract/plan.ts';
import { count, plural } from './format.ts';
import { diagnosticLines } from './refresh-text.ts';
import { type Paint, painter, printable } from './render.ts';

type Painter = ReturnType<typeof painter>;

const SIGN: Readonly<Record<PlanChange['change'], string>> = {
  added: '+',
  removed: '-',
  changed: '~',
  moved: '→',
};
const COLOR: Readonly<Record<PlanChange['change'], Paint>> = {
  added: 'green',
  removed: 'red',
  changed: 'yellow',
  moved: 'blue',
};
/** Things of one pipeline that are listed when all of it comes or goes. */
const MOST_PARTS = 20;
const LONGEST_VALUE = 100;
const SPANS = 3;
const TICKS = 2;

/** A plan for people: definitions by pipeline, ticks, partitions with the command to run, mistakes, and a sum at the end. */
export function planText(plan: Plan, color: boolean): string {
  const paint = painter(color);
  const errors = plan.diagnostics.filter(({ severity }) => severity === 'error');
  const held = plan.held.length === 0 ? [] : [`held at their last good revision: ${plan.held.join(', ')}`];
  const sections = [
    section('', changeLines(plan, paint)),
    section(
      paint('bold', 'Ticks of the next 7 days'),
      plan.ticks.schedules.flatMap((one) => tickLines(one, paint)),
    ),
    section(
      paint('bold', 'Partitions'),
      plan.impact.flatMap((one) => impactLines(one, paint)),
    ),
    section(paint('bold', errors.length > 0 ? 'Errors' : 'Warnings'), [
      ...diagnosticLines(plan.diagnostics, paint),
      ...held.map((line) => paint('yellow', printable(line))),
    ]),
    section(paint('bold', 'Notes'), plan.notes.map(printable)),
  ];
  return [paint('bold', title(plan)), ...sections.flat(), '', summary(plan, errors.length)].join('\n');
}

function title({ component, from, to }: Plan): string {
  const commit = to.commit === null ? '' : ` (${to.commit.slice(0, 7)})`;
  const old = from.commit === null ? 'nothing' : from.commit.slice(0, 7);
  return `Plan of ${component}: ${old} → ${printable(to.label)}${to.label === to.commit ? '' : commit}`;
}

function section(head: string, lines: readonly string[]): string[] {
  if (lines.length === 0) return [];
  return head === '' ? ['', ...lines] : ['', head, ...lines.map((line) => `  ${line}`)];
}

function changeLines({ changes }: Plan, paint: Painter): string[] {
  const pipelines = new Map<string, PlanChange[]>();
  for (const change of changes) {
    const name = change.pipeline ?? '';
    pipelines.set(name, [...(pipelines.get(name) ?? []), change]);
  }
  return [...pipelines].flatMap(([name, own]) => pipelineLines(name, own, paint));
}

/** The pipeline's own line, then what of it changes. */
function pipelineLines(name: string, changes: readonly PlanChange[], paint: Painter): string[] {
  const own = changes.find(({ kind }) => kind === 'pipeline');
  const parts = changes.filter((change) => change !== own);
  const change = own?.change ?? 'changed';
  const shown = name === '' ? 'the instance' : printable(name);
  const where = own?.file == null ? '' : `  ${paint('dim', printable(own.file))}`;
  const listed = parts.slice(0, MOST_PARTS);
  return [
    `${paint(COLOR[change], `${SIGN[change]} ${shown}`)}${where}`,
    ...(own === undefined ? [] : fieldLines(own, '    ')),
    ...listed.flatMap((part) => partLines(part, paint)),
    ...(parts.length > MOST_PARTS ? [`    and ${parts.length - MOST_PARTS} more`] : []),
  ];
}

function partLines(change: PlanChange, paint: Painter): string[] {
  if (change.kind === 'instance') return fieldLines(change, '    ');
  const head = paint(COLOR[change.change], `${SIGN[change.change]} ${change.kind} ${printable(change.key)}`);
  return [`    ${head}`, ...fieldLines(change, '        ')];
}

function fieldLines({ fields }: PlanChange, indent: string): string[] {
  return fields.flatMap(({ field, from, to, files }) => {
    if (field !== 'code') return [`${indent}${printable(field)}: ${brief(from)} → ${brief(to)}`];
    if (files.length === 0) return [`${indent}other code`];
    return [`${indent}other code: ${files.slice(0, MOST_PARTS).map(printable).join(', ')}`];
  });
}

function brief(value: unknown): string {
  if (value === null) return 'none';
  const text = printable(JSON.stringify(value));
  return text.length > LONGEST_VALUE ? `${text.slice(0, LONGEST_VALUE - 1)}…` : text;
}

function tickLines({ schedule, before, after, note }: PlanForecast, paint: Painter): string[] {
  const side = ({ count: ticks, first, timezone }: PlanForecast['before']): string => {
    const shown = first.slice(0, TICKS).map((at) => wallClock(at, timezone));
    const more = ticks > shown.length ? ', …' : '';
    return shown.length === 0 ? count(ticks) : `${count(ticks)}: ${shown.join(', ')}${more} ${timezone}`;
  };
  const told = note === '' ? '' : `  ${paint('yellow', note)}`;
  return [
    `${printable(schedule)}${told}`,
    `  ${paint('red', '-')} ${side(before)}`,
    `  ${paint('green', '+')} ${side(after)}`,
  ];
}

/** `Tue 2026-03-24 02:00`. */
function wallClock(at: string, timezone: string): string {
  const date = new Date(at);
  const day = new Intl.DateTimeFormat('en-GB', { timeZone: timezone, weekday: 'short' }).format(date);
  const time = new Intl.DateTimeFormat('sv-SE', {
    timeZone: timezone,
    dateStyle: 'short',
    timeStyle: 'short',
  });
  return `${day} ${time.format(date)}`;
}

function impactLines({ asset, missing, stale, orphaned, command }: PlanImpact, paint: Painter): string[] {
  const line = (spans: PlanSpans, what: string, color: Paint): string[] =>
    spans.count === 0 ? [] : [`  ${paint(color, `${count(spans.count)} ${what}`)}${spanText(spans)}`];
  return [
    printable(asset),
    ...line(missing, 'missing', 'green'),
    ...line(stale, 'stale', 'yellow'),
    ...line(orphaned, 'orphaned, their history is kept', 'red'),
    ...(command === null ? [] : [`  ${paint('dim', '$')} ${printable(command)}`]),
  ];
}

function spanText({ count: all, spans }: PlanSpans): string {
  if (spans.length === 0) return '';
  const shown = spans.slice(0, SPANS);
  const left = all - shown.reduce((sum, span) => sum + span.count, 0);
  const texts = shown.map(({ start, end }) => printable(start === end ? start : `${start} … ${end}`));
  return `: ${texts.join(', ')}${left > 0 ? ` and ${count(left)} more` : ''}`;
}

function summary({ changes, impact, has_changes: hasChanges }: Plan, errors: number): string {
  const of = (...wanted: readonly PlanChange['change'][]): number =>
    changes.filter(({ change }) => wanted.includes(change)).length;
  const load = impact.reduce((sum, { missing, stale }) => sum + missing.count + stale.count, 0);
  const told = hasChanges
    ? `${of('added')} to add, ${of('changed', 'moved')} to change, ${of('removed')} to remove` +
      (load === 0 ? '' : `; ${plural(load, 'partition')} to load`)
    : 'no change that matters';
  const mistakes = errors === 0 ? '' : `; ${plural(errors, 'error')}`;
  return `Plan: ${told}${mistakes}. Nothing was run or applied.`;
}
