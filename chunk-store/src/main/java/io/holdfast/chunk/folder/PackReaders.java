package io.holdfast.chunk.folder;

import java.io.Closeable;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Positioned reads from packs, with a bounded number of open files. Thread-safe. An interrupt of a
 * reading thread closes a channel under all its readers: they open it again, and the interrupted one
 * finishes its read and stays interrupted.
 */
final class PackReaders implements Closeable {
    private static final int MAX_OPEN = 128;

    private final Path packs;
    private final Map<Integer, FileChannel> open = new LinkedHashMap<>(16, 0.75f, true);
    private boolean closed;

    PackReaders(Path packs) {
        this.packs = packs;
    }

    Path path(int pack) {
        return packs.resolve(PackFormat.packName(pack));
    }

    /** Fills {@code target} from {@code offset} on. @throws EOFException when the pack is shorter */
    void read(int pack, long offset, byte[] target) throws IOException {
        boolean interrupted = false;
        try {
            while (true) {
                FileChannel channel = channel(pack);
                try {
                    readFully(channel, offset, ByteBuffer.wrap(target));
                    return;
                } catch (ClosedChannelException e) {
                    interrupted |= Thread.interrupted();
                    forget(pack, channel);
                }
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private static void readFully(FileChannel channel, long offset, ByteBuffer target)
            throws IOException {
        while (target.hasRemaining()) {
            if (channel.read(target, offset + target.position()) < 0) {
                throw new EOFException("ends before byte " + (offset + target.limit()));
            }
        }
    }

    private synchronized FileChannel channel(int pack) throws IOException {
        if (closed) {
            throw new IOException("The store in " + packs.getParent() + " is closed");
        }
        FileChannel channel = open.get(pack);
        if (channel == null) {
            channel = FileChannel.open(path(pack), StandardOpenOption.READ);
            open.put(pack, channel);
            if (open.size() > MAX_OPEN) {
                Map.Entry<Integer, FileChannel> eldest = open.entrySet().iterator().next();
                open.remove(eldest.getKey());
                eldest.getValue().close();
            }
        }
        return channel;
    }

    /** Opens a pack anew at the next read: its file was replaced. */
    synchronized void reopen(int pack) throws IOException {
        FileChannel channel = open.remove(pack);
        if (channel != null) {
            channel.close();
        }
    }

    private synchronized void forget(int pack, FileChannel channel) throws IOException {
        if (open.remove(pack, channel)) {
            channel.close();
        }
    }

    @Override
    public synchronized void close() throws IOException {
        closed = true;
        for (FileChannel channel : open.values()) {
            channel.close();
        }
        open.clear();
    }
}
