/**
 * Bytes: content-defined chunks, sealed frames, packs on disk, manifests.
 *
 * <p>The journey of a byte: {@code Chunker} cuts a stream, {@code Sealer} names (keyed SHA-256),
 * compresses and encrypts a chunk into a {@code Frame}, {@link io.holdfast.chunk.ChunkStore} keeps
 * frames in packs in one total order. A {@code Manifest} is a tree of NODE frames, and a PIECE frame
 * makes it a data piece. Whoever has no key can still prove that a piece is whole, because child ids
 * stand in clear headers, and that a frame is what was stored, because its SHA-256 is in the index.
 */
@NullMarked
package io.holdfast.chunk;

import org.jspecify.annotations.NullMarked;
