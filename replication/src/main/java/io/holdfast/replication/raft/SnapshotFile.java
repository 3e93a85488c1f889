package io.holdfast.replication.raft;

import com.google.protobuf.ByteString;
import com.google.protobuf.UnsafeByteOperations;
import io.holdfast.agent.DurableFile;
import io.holdfast.replication.state.ClusterState;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;

/**
 * The file of a snapshot: a state and the last entry in it. All numbers are big-endian.
 *
 * <pre>
 * offset  bytes
 *      0      4  "HFSN"
 *      4      4  version, 1
 *      8      8  term of the last entry
 *     16      8  index of the last entry
 *     24      4  length n of the state
 *     28      n  state, holdfast.cluster.v1.State
 *   28+n     32  SHA-256 of everything before
 * </pre>
 */
final class SnapshotFile {
    private static final int MAGIC = 0x4846534e;
    private static final int VERSION = 1;
    private static final int HEADER = 28;
    private static final int DIGEST = 32;

    record Content(ClusterState state, long term, long index) {}

    private SnapshotFile() {}

    static void write(Path file, Content content) throws IOException {
        ByteString state = content.state().toBytes();
        ByteString.Output bytes = ByteString.newOutput(HEADER + state.size() + DIGEST);
        DataOutputStream out = new DataOutputStream(bytes);
        out.writeInt(MAGIC);
        out.writeInt(VERSION);
        out.writeLong(content.term());
        out.writeLong(content.index());
        out.writeInt(state.size());
        state.writeTo(out);
        out.flush();
        byte[] body = bytes.toByteString().toByteArray();
        out.write(sha256(body, body.length));
        out.flush();
        DurableFile.write(file, bytes.toByteString().toByteArray());
    }

    /** Reads a file. @throws IOException when it is damaged or of an unknown version */
    static Content read(Path file) throws IOException {
        byte[] bytes = Files.readAllBytes(file);
        ByteBuffer in = ByteBuffer.wrap(bytes);
        if (bytes.length < HEADER + DIGEST || in.getInt() != MAGIC) {
            throw damaged(file, "it is no snapshot, or too short");
        }
        int version = in.getInt();
        if (version != VERSION) {
            throw new IOException(
                    "Snapshot "
                            + file
                            + " has version "
                            + version
                            + "; this program knows "
                            + VERSION
                            + ". Start a newer version of Holdfast on this node.");
        }
        long term = in.getLong();
        long index = in.getLong();
        int length = in.getInt();
        if (length != bytes.length - HEADER - DIGEST) {
            throw damaged(file, "its length does not fit");
        }
        byte[] expected = Arrays.copyOfRange(bytes, HEADER + length, bytes.length);
        if (!MessageDigest.isEqual(expected, sha256(bytes, HEADER + length))) {
            throw damaged(file, "its checksum does not fit");
        }
        ByteString state = UnsafeByteOperations.unsafeWrap(bytes, HEADER, length);
        return new Content(ClusterState.parse(state), term, index);
    }

    private static IOException damaged(Path file, String how) {
        return new IOException(
                "Snapshot "
                        + file
                        + " is damaged: "
                        + how
                        + ". Start this node with an empty Raft folder, as a new member.");
    }

    private static byte[] sha256(byte[] bytes, int length) {
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            digest.update(bytes, 0, length);
            return digest.digest();
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("this JDK has no SHA-256", e);
        }
    }
}
