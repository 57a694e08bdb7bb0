/** What a lane asks of, and tells, whoever has all of them. Lanes are named by their numbers. */
export interface LaneCompany {
  /** Whether the lane is to carry when it is well. */
  wants(lane: number): boolean;
  /** Whether another lane has fallen just now. */
  anotherFell(lane: number): boolean;
  /** Whether some connection is known to have no other lane. */
  dependedOn(lane: number): boolean;
  /** How late this machine does what is due, ms. */
  lateness(): number;
  /** The last moment (monotonic ms) that another lane that carries was heard; undefined: no other carries. */
  othersHeard(lane: number): number | undefined;
  /** The relay says that the servers of these lanes (bit i: lane i) were started lately. */
  onRestarted(lanes: number): void;
  /** A lane's tunnel has connected, or it begins or ceases to be poor: connections should begin elsewhere, or may begin there again. */
  onNews(): void;
  /** The lane begins or ceases to carry. */
  onChange(lane: number): void;
}
