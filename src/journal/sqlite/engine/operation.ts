/** One operation of the engine. */
export interface Operation<Request, Answer> {
  readonly request: Request;
  readonly answer: Answer;
}

/**
 * What a call writes, and when that is durable.
 * `intake`: in the intake log before it is answered. `growing` and `delivery`: in the tables within
 * seconds; `growing` needs space. `operator`: in the tables before it is answered. `read`: nothing.
 */
export type OperationClass = 'intake' | 'growing' | 'delivery' | 'operator' | 'read';
