package io.holdfast.chunk.folder;

import io.holdfast.chunk.ChunkId;
import io.holdfast.chunk.ChunkStore;
import io.holdfast.chunk.LogPosition;
import java.io.IOException;
import java.nio.file.Path;
import java.util.BitSet;
import java.util.List;
import java.util.UUID;

/** A chunk store in a folder. */
public final class FolderChunkStore implements ChunkStore {
    /** How a store is kept; may change between two openings.
     * @param packBytes a pack that would grow beyond it is sealed and a new one begun */
    public record Options(int packBytes) {
        /** Packs of 256 MiB. */
        public static final Options DEFAULT = new Options(256 << 20);
    }

    private FolderChunkStore() {}

    /** Opens the store in {@code folder}, or makes one when the folder is absent or empty. */
    public static FolderChunkStore open(Path folder, Options options) throws IOException {
        throw unbuilt();
    }

    @Override
    public UUID incarnation() {
        throw unbuilt();
    }

    @Override
    public BitSet missing(UUID session, List<ChunkId> ids) {
        throw unbuilt();
    }

    @Override
    public boolean append(UUID session, byte[] frame, int offset, int length) throws IOException {
        throw unbuilt();
    }

    @Override
    public LogPosition sync() throws IOException {
        throw unbuilt();
    }

    @Override
    public List<ChunkId> commitPiece(UUID session, byte[] pieceFrame) throws IOException {
        throw unbuilt();
    }

    @Override
    public void release(UUID session) {
        throw unbuilt();
    }

    @Override
    public byte[] read(ChunkId id) throws IOException {
        throw unbuilt();
    }

    @Override
    public boolean holds(ChunkId id) {
        throw unbuilt();
    }

    @Override
    public LogPosition durableEnd() {
        throw unbuilt();
    }

    @Override
    public List<Tailed> tail(LogPosition from, int maxFrames) {
        throw unbuilt();
    }

    @Override
    public Usage usage() {
        throw unbuilt();
    }

    @Override
    public void close() throws IOException {
        throw unbuilt();
    }

    private static UnsupportedOperationException unbuilt() {
        return new UnsupportedOperationException("not built yet");
    }
}
