package io.holdfast.replication.raft;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Optional;
import java.util.zip.CRC32C;
import org.apache.ratis.server.protocol.TermIndex;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * How far a member has applied the log of a lineage, in a file of its own: {@code u64 term  u64 index  u32
 * CRC-32C}, overwritten in place. What is applied is committed, so the next start may show it before
 * anybody leads, without the entry that Ratis would log after each commit for that purpose.
 *
 * <p>It is a hint and never forced to the disk: after a power loss it may be old, or unreadable and then
 * empty; the log is what counts. Confined to one thread at a time.
 */
final class AppliedMark implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(AppliedMark.class);
    private static final int BYTES = 20;

    private final Path file;
    private final FileChannel channel;
    private final ByteBuffer buffer = ByteBuffer.allocate(BYTES);
    private boolean failed;

    private AppliedMark(Path file, FileChannel channel) {
        this.file = file;
        this.channel = channel;
    }

    /** Opens it, or makes an empty one. */
    static AppliedMark open(Path file) throws IOException {
        return new AppliedMark(
                file,
                FileChannel.open(
                        file,
                        StandardOpenOption.CREATE,
                        StandardOpenOption.READ,
                        StandardOpenOption.WRITE));
    }

    /** What was written last; empty when nothing was, or it is damaged. */
    Optional<TermIndex> read() throws IOException {
        buffer.clear();
        while (buffer.hasRemaining()) {
            if (channel.read(buffer, buffer.position()) < 0) {
                return Optional.empty();
            }
        }
        buffer.flip();
        long term = buffer.getLong();
        long index = buffer.getLong();
        return buffer.getInt() == checksum() && term >= 0 && index >= 0
                ? Optional.of(TermIndex.valueOf(term, index))
                : Optional.empty();
    }

    /** Overwrites it. A disk that takes nothing is told once; what is applied does not depend on this. */
    void write(long term, long index) {
        buffer.clear().putLong(term).putLong(index);
        buffer.putInt(checksum()).flip();
        try {
            while (buffer.hasRemaining()) {
                channel.write(buffer, buffer.position());
            }
            failed = false;
        } catch (IOException e) {
            if (!failed) {
                LOG.warn("{} is not written: {}", file, e.getMessage());
            }
            failed = true;
        }
    }

    private int checksum() {
        CRC32C crc = new CRC32C();
        crc.update(buffer.array(), 0, BYTES - Integer.BYTES);
        return (int) crc.getValue();
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }
}
