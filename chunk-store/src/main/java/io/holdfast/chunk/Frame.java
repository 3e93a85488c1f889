package io.holdfast.chunk;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;

/**
 * The bytes of one chunk as stored and sent: a clear header, and a body that is sealed unless the
 * frame is a PIECE. Whoever has no key can follow the child ids; whoever has it verifies all.
 *
 * <p>Layout, version 1; numbers are big-endian:
 *
 * <pre>
 * offset    bytes  what
 * 0         4      magic "HFFR"
 * 4         1      version, 1
 * 5         1      kind: 1 DATA, 2 NODE, 3 PIECE
 * 6         2      reserved, 0
 * 8         16     dedup domain, UUID
 * 24        4      key epoch, 0 to 2^31-1
 * 28        32     chunk id
 * 60        4      n, number of child ids: DATA 0, NODE at most 8192, PIECE 1
 * 64        32 n   child ids, each once
 * 64+32n    4      b, bytes of the body, at most 4 MiB + 21
 * 68+32n    12     nonce of the seal; of a PIECE 0
 * 80+32n    b      the body: AES-256-GCM ciphertext and its tag of 16 bytes, with all that stands
 *                  before it as associated data; of a PIECE a clear PieceBody (manifest.proto)
 * </pre>
 *
 * <p>What is inside the seal, and how ids are made: {@link Sealer}, {@link PieceHeader}.
 */
public final class Frame {
    /** Most child ids of one frame. */
    public static final int MAX_CHILDREN = 8192;

    /** Most plain bytes of one chunk: the largest {@code maxBytes} that a Chunking can have. */
    public static final int MAX_PLAIN_BYTES = 4 << 20;

    /** Bytes inside the seal before the content: codec and plain length. */
    static final int SEAL_PREFIX_BYTES = 5;

    static final int TAG_BYTES = 16;
    static final int NONCE_BYTES = 12;

    /** Most bytes of a body. */
    public static final int MAX_BODY_BYTES = MAX_PLAIN_BYTES + SEAL_PREFIX_BYTES + TAG_BYTES;

    private static final int MAGIC = 0x48464652;
    private static final int VERSION = 1;
    private static final int FIXED_BYTES = 80;

    /** Most bytes of a whole frame. */
    public static final int MAX_BYTES = FIXED_BYTES + ChunkId.BYTES * MAX_CHILDREN + MAX_BODY_BYTES;

    private Frame() {}

    /**
     * Reads the header of the frame that fills the given range.
     *
     * @throws StoreException.Corrupt when it is not a frame, or one of an unknown version
     */
    public static Header parse(byte[] bytes, int offset, int length) throws StoreException.Corrupt {
        if (length < FIXED_BYTES) {
            throw corrupt(length + " bytes, fewer than a header has");
        }
        ByteBuffer in = ByteBuffer.wrap(bytes, offset, length);
        int magic = in.getInt();
        if (magic != MAGIC) {
            throw corrupt("magic is " + Integer.toHexString(magic) + ", not 48464652");
        }
        int version = in.get() & 0xff;
        if (version != VERSION) {
            throw corrupt("version " + version + " is unknown here; this program reads version 1");
        }
        FrameKind kind = kind(in.get() & 0xff);
        if (in.getShort() != 0) {
            throw corrupt("reserved bytes are not zero");
        }
        UUID domain = new UUID(in.getLong(), in.getLong());
        int keyEpoch = in.getInt();
        if (keyEpoch < 0) {
            throw corrupt("key epoch is out of range");
        }
        ChunkId id = ChunkId.of(bytes, in.position(), ChunkId.BYTES);
        in.position(in.position() + ChunkId.BYTES);
        int count = in.getInt();
        int most =
                switch (kind) {
                    case DATA -> 0;
                    case NODE -> MAX_CHILDREN;
                    case PIECE -> 1;
                };
        if (count < 0 || count > most || kind == FrameKind.PIECE && count != 1) {
            throw corrupt(kind + " " + id + " with " + count + " children");
        }
        int headerBytes = FIXED_BYTES + ChunkId.BYTES * count;
        if (length < headerBytes) {
            throw corrupt(length + " bytes, fewer than the header of " + id + " has");
        }
        List<ChunkId> children = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            children.add(ChunkId.of(bytes, in.position(), ChunkId.BYTES));
            in.position(in.position() + ChunkId.BYTES);
        }
        int bodyBytes = in.getInt();
        if (bodyBytes < 0
                || bodyBytes > MAX_BODY_BYTES
                || kind != FrameKind.PIECE && bodyBytes < SEAL_PREFIX_BYTES + TAG_BYTES
                || headerBytes + bodyBytes != length) {
            throw corrupt(length + " bytes; the header of " + id + " says a body of " + bodyBytes);
        }
        return new Header(kind, domain, keyEpoch, id, children, headerBytes, length);
    }

    private static FrameKind kind(int code) throws StoreException.Corrupt {
        for (FrameKind kind : FrameKind.values()) {
            if (kind.code() == code) {
                return kind;
            }
        }
        throw corrupt("kind " + code + " is unknown here");
    }

    private static StoreException.Corrupt corrupt(String what) {
        return new StoreException.Corrupt("Not a frame: " + what);
    }

    /** Bytes before the body of a frame with so many children. */
    static int headerBytes(int children) {
        return FIXED_BYTES + ChunkId.BYTES * children;
    }

    /** Writes a header at the start of {@code frame}, whose length says that of the body. */
    static void writeHeader(
            byte[] frame,
            FrameKind kind,
            UUID domain,
            int keyEpoch,
            ChunkId id,
            List<ChunkId> children,
            byte[] nonce) {
        ByteBuffer out = ByteBuffer.wrap(frame);
        out.putInt(MAGIC).put((byte) VERSION).put((byte) kind.code()).putShort((short) 0);
        out.putLong(domain.getMostSignificantBits()).putLong(domain.getLeastSignificantBits());
        out.putInt(keyEpoch);
        id.copyTo(frame, out.position());
        out.position(out.position() + ChunkId.BYTES);
        out.putInt(children.size());
        for (ChunkId child : children) {
            child.copyTo(frame, out.position());
            out.position(out.position() + ChunkId.BYTES);
        }
        out.putInt(frame.length - headerBytes(children.size()));
        out.put(nonce);
    }

    /**
     * What a frame says in clear.
     *
     * @param children what it refers to, in the order of the header
     * @param headerBytes bytes before the body
     * @param totalBytes bytes of the whole frame
     */
    public record Header(
            FrameKind kind,
            UUID domain,
            int keyEpoch,
            ChunkId id,
            List<ChunkId> children,
            int headerBytes,
            int totalBytes) {
        /** Copies the children. */
        public Header {
            children = List.copyOf(children);
        }
    }
}
