import { checkBytes } from "./bytes.ts";

/**
 * What every engine checks before it hashes a pack: the two buffers are long enough, the numbers are counts, and what
 * is written cannot change what is still to be read.
 *
 * @param messages - holds `messageSize * count` bytes from byte 0
 * @param messageSize - bytes per message
 * @param count - messages in the pack
 * @param output - receives `outputSize * count` bytes from `outputOffset`
 * @param outputOffset - bytes
 * @param outputSize - bytes per digest
 * @throws TypeError if a buffer is not a Uint8Array
 * @throws RangeError if a buffer is too short, a number is not a non-negative safe integer, or the ranges overlap
 */
export function checkPack(
  messages: Uint8Array,
  messageSize: number,
  count: number,
  output: Uint8Array,
  outputOffset: number,
  outputSize: number,
): void {
  checkBytes(messages, "messages");
  checkBytes(output, "output");
  checkCount("messageSize", messageSize);
  checkCount("count", count);
  checkCount("outputOffset", outputOffset);
  const readSize = messageSize * count;
  if (readSize > messages.length) {
    throw new RangeError(
      `messages must hold ${count} messages of ${messageSize} bytes, got ${messages.length} bytes`,
    );
  }
  const writeSize = outputSize * count;
  if (outputOffset + writeSize > output.length) {
    throw new RangeError(
      `output must hold ${count} digests of ${outputSize} bytes from ${outputOffset}, got ${output.length} bytes`,
    );
  }
  if (readSize === 0 || messages.buffer !== output.buffer) return;
  const readStart = messages.byteOffset;
  const writeStart = output.byteOffset + outputOffset;
  if (readStart < writeStart + writeSize && writeStart < readStart + readSize) {
    throw new RangeError(
      `output must not overlap messages, got bytes ${writeStart} to ${writeStart + writeSize} ` +
        `over ${readStart} to ${readStart + readSize} of one buffer`,
    );
  }
}

function checkCount(name: string, value: number): void {
  if (!Number.isSafeInteger(value) || value < 0) {
    throw new RangeError(`${name} must be a non-negative safe integer, got ${value}`);
  }
}
