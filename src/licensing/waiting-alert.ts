/** What is watched of things that wait until somebody says a word: each is over when it waits no more, and is none of these. Pure. */

/** People whom the breaker holds back. */
export interface StagedPeople {
  people: number;
  /** When the first of the changes was stopped. */
  since: string;
}

/** People whose claims wait for somebody's word. */
export interface WaitingClaims {
  people: number;
  /** Of the oldest claim. */
  since: string;
}

/** An edit that waits for a second person. */
export interface WaitingEdit {
  id: string;
  /** Method and path. */
  call: string;
  by: string;
  since: string;
}

export interface WaitingFacts {
  /** null: nobody is held back. */
  staged: StagedPeople | null;
  /** null: none waits. */
  waitingClaims: WaitingClaims | null;
  /** The oldest ones. */
  waitingEdits: readonly WaitingEdit[];
}

export type WaitingAlert =
  | ({ kind: 'staged' } & StagedPeople)
  | ({ kind: 'approvals_wait' } & WaitingClaims)
  | ({ kind: 'edit_waits' } & WaitingEdit);

interface WaitingWatch {
  mark: string;
  isMet: true;
  isOver: false;
  alert: WaitingAlert;
}

export function watchWaiting({ staged, waitingClaims, waitingEdits }: WaitingFacts): WaitingWatch[][] {
  return [
    staged === null ? [] : [watch(`staged:${staged.since}`, { kind: 'staged', ...staged })],
    // Whoever comes while others wait is not told of each time.
    waitingClaims === null ? [] : [watch('approvals', { kind: 'approvals_wait', ...waitingClaims })],
    ...waitingEdits.map((edit) => [watch(`edit:${edit.id}`, { kind: 'edit_waits', ...edit })]),
  ];
}

function watch(mark: string, alert: WaitingAlert): WaitingWatch {
  return { mark, isMet: true, isOver: false, alert };
}
