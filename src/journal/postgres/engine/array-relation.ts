import type { Param } from '../sessions/session.ts';

type Value = string | number | boolean | null;

/** Rows that a statement receives as one array for each column. */
export interface ArrayRelation<Column extends string> {
  /** SQL of the relation under an alias. Its last column, `ord`, numbers the rows from 1. */
  as(alias: string): string;
  /** The parameters of the rows, from `first` on. */
  params(rows: readonly Readonly<Record<Column, Value>>[]): Param[];
  /** The first number of a parameter behind those of the relation. */
  readonly next: number;
}

/**
 * @param first number of the first parameter
 * @param types the columns and the types of their values in SQL
 */
export function arrayRelation<Column extends string>(
  first: number,
  types: Readonly<Record<Column, string>>,
): ArrayRelation<Column> {
  const columns = Object.keys(types) as Column[];
  const arrays = columns.map((column, index) => `$${first + index}::${types[column]}[]`).join(', ');
  return {
    as: (alias) => `unnest(${arrays}) WITH ORDINALITY AS ${alias}(${columns.join(', ')}, ord)`,
    params: (rows) => columns.map((column) => rows.map((row) => row[column])),
    next: first + columns.length,
  };
}
