package io.holdfast.chunk;

import com.google.protobuf.ByteString;
import java.util.AbstractList;
import java.util.RandomAccess;

/** An immutable list of chunk ids that is not a million objects. */
abstract class ChunkIdList extends AbstractList<ChunkId> implements RandomAccess {
    /** The ids that stand one after the other in {@code bytes}, whose length is a multiple of 32. */
    static final class Packed extends ChunkIdList {
        private final byte[] bytes;

        Packed(ByteString bytes) {
            this.bytes = bytes.toByteArray();
        }

        @Override
        public ChunkId get(int index) {
            java.util.Objects.checkIndex(index, size());
            return ChunkId.of(bytes, index * ChunkId.BYTES, ChunkId.BYTES);
        }

        @Override
        public int size() {
            return bytes.length / ChunkId.BYTES;
        }
    }
}
