import { BinaryReader } from '@bufbuild/protobuf/wire';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { MessageWriter, WIRE } from './message-writer.ts';

/** One field: how it is written, and how the runtime of Protocol Buffers reads it back. */
interface Field {
  write(writer: MessageWriter): void;
  read(reader: BinaryReader): unknown;
  readonly value: unknown;
}

const texts = fc.oneof(fc.string({ maxLength: 200 }), fc.string({ unit: 'grapheme', maxLength: 200 }));

const fields: fc.Arbitrary<Field> = fc.oneof(
  texts.map((value) => ({
    value,
    write: (writer: MessageWriter) => {
      writer.tag(1, WIRE.bytes);
      writer.text(value);
    },
    read: (reader: BinaryReader) => reader.string(),
  })),
  fc.maxSafeNat().map((value) => ({
    value: BigInt(value),
    write: (writer: MessageWriter) => {
      writer.tag(1, WIRE.varint);
      writer.varint(value);
    },
    read: (reader: BinaryReader) => BigInt(reader.uint64()),
  })),
  fc.maxSafeInteger().map((value) => ({
    value: BigInt(value),
    write: (writer: MessageWriter) => {
      writer.tag(1, WIRE.varint);
      writer.int64(value);
    },
    read: (reader: BinaryReader) => BigInt(reader.int64()),
  })),
  fc.double({ noNaN: true }).map((value) => ({
    value,
    write: (writer: MessageWriter) => {
      writer.tag(1, WIRE.fixed64);
      writer.double(value);
    },
    read: (reader: BinaryReader) => reader.double(),
  })),
  texts.map((value) => ({
    value,
    write: (writer: MessageWriter) => {
      const start = writer.begin(1);
      writer.tag(2, WIRE.bytes);
      writer.text(value);
      writer.end(start);
    },
    read: (reader: BinaryReader) => {
      const inner = new BinaryReader(reader.bytes());
      inner.tag();
      return inner.string();
    },
  })),
);

describe('MessageWriter', () => {
  it('writes what the runtime of Protocol Buffers reads, one message after the other', () => {
    const writer = new MessageWriter();
    fc.assert(
      fc.property(fc.array(fields, { maxLength: 20 }), (message) => {
        for (const field of message) field.write(writer);
        const reader = new BinaryReader(writer.finish());
        for (const { read, value } of message) {
          reader.tag();
          expect(read(reader)).toEqual(value);
        }
        expect(reader.pos).toBe(reader.len);
      }),
    );
  });

  it('grows by as much as a message needs, and moves what stands before a long length', () => {
    const writer = new MessageWriter();
    const text = 'x'.repeat(300_000);
    const start = writer.begin(3);
    writer.tag(1, WIRE.bytes);
    writer.text(text);
    writer.end(start);
    const reader = new BinaryReader(writer.finish());
    reader.tag();
    const inner = new BinaryReader(reader.bytes());
    inner.tag();
    expect(inner.string()).toBe(text);
    expect(writer.finish()).toHaveLength(0);
  });
});
