/** Answer of a process to an order. */
export type Answer<Result> = { readonly result: Result } | { readonly error: string };

/** Does what the process asks for that has started this one, and answers each order; ends with it. */
export function takeOrders<Order, Result>(work: (order: Order) => Promise<Result>): void {
  process.on('message', (order: Order) => {
    work(order).then(
      (result) => process.send?.({ result } satisfies Answer<Result>),
      (error: unknown) => process.send?.({ error: String(error) } satisfies Answer<Result>),
    );
  });
  endWithParent();
}

/** Ends this process when the one that has started it goes away. */
export function endWithParent(): void {
  process.on('disconnect', () => process.exit());
}
