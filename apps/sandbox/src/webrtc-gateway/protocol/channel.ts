/** Something that takes text frames. */
export interface Listener {
  send(text: string): void;
  /** Final for the client: it does not come back to this channel by itself. */
  dismiss(): void;
}

/** The notifications of one subscription: to whoever listens, and kept while nobody does. */
export interface Channel {
  notify(text: string): void;
  /** Hands over what has gathered. One listener at a time: the one before is dismissed. */
  attach(listener: Listener): void;
  /** Nothing happens when another has taken its place. */
  detach(listener: Listener): void;
  close(): void;
}

const MAX_KEPT = 100;

/** An empty channel. It keeps the newest 100 notifications that nobody has heard. */
export function createChannel(): Channel {
  let listener: Listener | undefined;
  let kept: string[] = [];
  return {
    notify(text) {
      if (listener) listener.send(text);
      else kept = [...kept, text].slice(-MAX_KEPT);
    },
    attach(next) {
      listener?.dismiss();
      listener = next;
      for (const text of kept) next.send(text);
      kept = [];
    },
    detach(gone) {
      if (listener === gone) listener = undefined;
    },
    close() {
      listener?.dismiss();
      listener = undefined;
      kept = [];
    },
  };
}
