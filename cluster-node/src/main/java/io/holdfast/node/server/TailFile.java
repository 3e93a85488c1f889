package io.holdfast.node.server;

import com.google.protobuf.ByteString;
import io.holdfast.agent.DurableFile;
import io.holdfast.replication.state.Tail;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.UUID;

/**
 * All that a member held of a lineage when it was closed, in a file of its own, so that what diverged
 * can be read without Raft. Big-endian:
 *
 * <pre>
 * u32 magic "HFT1"   u64 u64 lineage   u64 appliedTerm   u64 appliedIndex   u64 lastTerm   u64 lastIndex
 * u32 n  n bytes of state   u32 count  count * (u64 term  u64 index  u32 n  n bytes)   32 bytes SHA-256
 * </pre>
 */
final class TailFile {
    private static final int MAGIC = 0x48465431;
    private static final int MAX_PART = 1 << 30;

    private TailFile() {}

    static void write(Path file, Tail tail) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        DataOutputStream out = new DataOutputStream(bytes);
        out.writeInt(MAGIC);
        out.writeLong(tail.lineage().getMostSignificantBits());
        out.writeLong(tail.lineage().getLeastSignificantBits());
        out.writeLong(tail.appliedTerm());
        out.writeLong(tail.appliedIndex());
        out.writeLong(tail.lastTerm());
        out.writeLong(tail.lastIndex());
        part(out, tail.state());
        out.writeInt(tail.entries().size());
        for (Tail.LogEntry entry : tail.entries()) {
            out.writeLong(entry.term());
            out.writeLong(entry.index());
            part(out, entry.data());
        }
        out.write(sha256(bytes.toByteArray(), bytes.size()));
        DurableFile.write(file, bytes.toByteArray());
    }

    private static void part(DataOutputStream out, ByteString bytes) throws IOException {
        out.writeInt(bytes.size());
        bytes.writeTo(out);
    }

    static Tail read(Path file) throws IOException {
        byte[] bytes = Files.readAllBytes(file);
        int body = bytes.length - 32;
        if (body < 0
                || !Arrays.equals(
                        sha256(bytes, body), Arrays.copyOfRange(bytes, body, bytes.length))) {
            throw new IOException(
                    "The archived log tail " + file + " is damaged; restore it from the archive");
        }
        DataInputStream in = new DataInputStream(new ByteArrayInputStream(bytes, 0, body));
        if (in.readInt() != MAGIC) {
            throw new IOException(file + " is no log tail of a version that this program knows");
        }
        UUID lineage = new UUID(in.readLong(), in.readLong());
        long appliedTerm = in.readLong();
        long appliedIndex = in.readLong();
        long lastTerm = in.readLong();
        long lastIndex = in.readLong();
        ByteString state = part(in);
        int count = in.readInt();
        List<Tail.LogEntry> entries = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            entries.add(new Tail.LogEntry(in.readLong(), in.readLong(), part(in)));
        }
        return new Tail(lineage, appliedTerm, appliedIndex, state, entries, lastTerm, lastIndex);
    }

    private static ByteString part(DataInputStream in) throws IOException {
        int size = in.readInt();
        if (size < 0 || size > MAX_PART || size > in.available()) {
            throw new IOException("a part of " + size + " bytes does not fit");
        }
        return ByteString.copyFrom(in.readNBytes(size));
    }

    private static byte[] sha256(byte[] bytes, int length) {
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            digest.update(bytes, 0, length);
            return digest.digest();
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }
}
