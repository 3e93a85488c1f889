package io.holdfast.chunk;

import com.github.luben.zstd.Zstd;
import com.github.luben.zstd.ZstdCompressCtx;
import com.github.luben.zstd.ZstdDecompressCtx;
import com.github.luben.zstd.ZstdException;
import java.lang.ref.Cleaner;
import java.nio.ByteBuffer;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.util.List;
import java.util.Objects;
import java.util.UUID;
import java.util.random.RandomGenerator;
import javax.crypto.AEADBadTagException;
import javax.crypto.Cipher;
import javax.crypto.Mac;
import javax.crypto.spec.GCMParameterSpec;
import javax.crypto.spec.SecretKeySpec;

/**
 * Names, compresses and encrypts chunks with a {@link DomainKey}, and back, verifying everything.
 *
 * <p>The <b>id</b> of a chunk is {@code HMAC-SHA-256(id key, kind u8 || child count u32 || child ids
 * || plain bytes)}. Kind and children are under it, so that file content can never be taken for a
 * manifest node, and no deduplicated node can show other children than its content names.
 *
 * <p>The <b>body</b> is {@code AES-256-GCM(seal key, random nonce of 96 bits, codec u8 || plain length
 * u32 || content)} with the frame's header as associated data; codec 0 is raw, 1 one zstd frame, kept
 * only where it is smaller. Random nonces are safe for 2^32 chunks of one key (NIST SP 800-38D, 8.3):
 * four pebibytes at 1 MiB; begin a new key epoch before that.
 *
 * <p>Compression before encryption tells an observer how well a chunk compresses; that, its size and
 * the shape of the tree are what the store can see.
 *
 * <p>Not thread-safe: one per thread; the ciphers and buffers in it are reused.
 */
public final class Sealer implements AutoCloseable {
    private static final Cleaner CLEANER = Cleaner.create();
    private static final byte RAW = 0;
    private static final byte ZSTD = 1;
    private static final int TAG_BITS = 8 * Frame.TAG_BYTES;

    /** Bytes given to the cipher at once: many small calls are compiled soon, few large ones never. */
    private static final int STEP_BYTES = 4096;

    private static final int WARM_BYTES = 512;
    private static final int WARM_CALLS = 30_000;

    private final UUID domain;
    private final int keyEpoch;
    private final SecretKeySpec sealKey;
    private final boolean compresses;
    private final RandomGenerator nonces;
    private final Mac mac;
    private final Cipher cipher;
    private final Zstds zstds;
    private final Cleaner.Cleanable cleanable;
    private final byte[] nonce = new byte[Frame.NONCE_BYTES];
    private final byte[] idPrefix = new byte[5];
    private byte[] scratch = new byte[0];

    /**
     * With nonces from a {@link SecureRandom}.
     *
     * @param zstdLevel 0 (no compression) or 1 to 22
     */
    public Sealer(DomainKey key, int zstdLevel) {
        this(key, zstdLevel, new SecureRandom());
    }

    /** With nonces from {@code nonces}, which must never repeat under one key: a test's privilege. */
    Sealer(DomainKey key, int zstdLevel, RandomGenerator nonces) {
        if (zstdLevel < 0 || zstdLevel > 22) {
            throw new IllegalArgumentException("zstd level " + zstdLevel + "; expected 0 to 22");
        }
        this.domain = key.domain();
        this.keyEpoch = key.keyEpoch();
        this.sealKey = key.sealKey();
        this.compresses = zstdLevel > 0;
        this.nonces = nonces;
        try {
            this.mac = Mac.getInstance("HmacSHA256");
            this.mac.init(key.idKey());
            this.cipher = Cipher.getInstance("AES/GCM/NoPadding");
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("This JDK lacks HmacSHA256 or AES/GCM", e);
        }
        this.zstds = new Zstds(zstdLevel);
        this.cleanable = CLEANER.register(this, zstds);
    }

    /** The id of a chunk of file content. */
    public ChunkId id(byte[] plain, int offset, int length) {
        return id(FrameKind.DATA, plain, offset, length, List.of());
    }

    /** The id of a DATA chunk or a NODE; it covers the kind and the children too. */
    public ChunkId id(
            FrameKind kind, byte[] plain, int offset, int length, List<ChunkId> children) {
        requireSealed(kind);
        ByteBuffer.wrap(idPrefix).put((byte) kind.code()).putInt(children.size());
        mac.update(idPrefix);
        for (ChunkId child : children) {
            mac.update(child.bytes());
        }
        mac.update(plain, offset, length);
        return ChunkId.of(mac.doFinal());
    }

    /**
     * A whole frame, in an array of its own.
     *
     * @param id what {@code id(...)} said of the same kind, bytes and children
     * @param plain not changed, not kept
     * @throws IllegalArgumentException for more than 4 MiB, too many children, or a NODE whose id is
     *     another
     */
    public byte[] seal(
            FrameKind kind,
            ChunkId id,
            byte[] plain,
            int offset,
            int length,
            List<ChunkId> children) {
        requireSealed(kind);
        Objects.checkFromIndexSize(offset, length, plain.length);
        int most = kind == FrameKind.NODE ? Frame.MAX_CHILDREN : 0;
        if (length > Frame.MAX_PLAIN_BYTES || children.size() > most) {
            throw new IllegalArgumentException(
                    "%s %s of %d bytes with %d children; at most %d bytes and %d children"
                            .formatted(
                                    kind,
                                    id,
                                    length,
                                    children.size(),
                                    Frame.MAX_PLAIN_BYTES,
                                    most));
        }
        // Nodes are few: make sure that nobody named one without its children.
        if (kind == FrameKind.NODE && !id(kind, plain, offset, length, children).equals(id)) {
            throw new IllegalArgumentException("NODE sealed under the id of other bytes: " + id);
        }
        int sealedBytes = pack(plain, offset, length);
        int headerBytes = Frame.headerBytes(children.size());
        byte[] frame = new byte[headerBytes + sealedBytes + Frame.TAG_BYTES];
        nonces.nextBytes(nonce);
        Frame.writeHeader(frame, kind, domain, keyEpoch, id, children, nonce);
        try {
            cipher.init(Cipher.ENCRYPT_MODE, sealKey, new GCMParameterSpec(TAG_BITS, nonce));
            cipher.updateAAD(frame, 0, headerBytes);
            int at = headerBytes;
            for (int from = 0; from < sealedBytes; from += STEP_BYTES) {
                int bytes = Math.min(STEP_BYTES, sealedBytes - from);
                at += cipher.update(scratch, from, bytes, frame, at);
            }
            cipher.doFinal(frame, at);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("AES-GCM refused to seal " + id, e);
        }
        return frame;
    }

    /**
     * Makes the JVM compile AES-GCM to the processor's own instructions, about 0.2 s of one thread.
     * Until some 20,000 calls have been made, the JVM runs it as Java code, at 50 to 90 MB/s instead of
     * thousands; frames are large, so that a job alone would come there after some gigabytes.
     */
    public static void warmUp() {
        try {
            byte[] buffer = new byte[WARM_BYTES];
            byte[] sealed = new byte[WARM_BYTES + Frame.TAG_BYTES];
            Cipher cipher = Cipher.getInstance("AES/GCM/NoPadding");
            cipher.init(
                    Cipher.ENCRYPT_MODE,
                    new SecretKeySpec(new byte[32], "AES"),
                    new GCMParameterSpec(TAG_BITS, new byte[Frame.NONCE_BYTES]));
            for (int i = 0; i < WARM_CALLS; i++) {
                cipher.update(buffer, 0, buffer.length, sealed, 0);
            }
            cipher.doFinal(sealed, 0);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("AES-GCM is not to be had", e);
        }
    }

    /** Puts codec, length and content into the scratch buffer; answers how many bytes they are. */
    private int pack(byte[] plain, int offset, int length) {
        int bound = compresses ? (int) Zstd.compressBound(length) : length;
        reserve(Frame.SEAL_PREFIX_BYTES + bound);
        byte codec = RAW;
        int contentBytes = length;
        if (compresses && length > 0) {
            int compressed =
                    zstds.compressor()
                            .compressByteArray(
                                    scratch,
                                    Frame.SEAL_PREFIX_BYTES,
                                    scratch.length - Frame.SEAL_PREFIX_BYTES,
                                    plain,
                                    offset,
                                    length);
            if (compressed < length) {
                codec = ZSTD;
                contentBytes = compressed;
            }
        }
        if (codec == RAW) {
            System.arraycopy(plain, offset, scratch, Frame.SEAL_PREFIX_BYTES, length);
        }
        ByteBuffer.wrap(scratch).put(codec).putInt(length);
        return Frame.SEAL_PREFIX_BYTES + contentBytes;
    }

    /**
     * The plain bytes of a DATA or NODE frame, in an array of their own.
     *
     * @throws StoreException.Corrupt when it is not a frame of this key, or was changed anywhere
     */
    public byte[] open(byte[] frame) throws StoreException.Corrupt {
        Frame.Header header = Frame.parse(frame, 0, frame.length);
        if (header.kind() == FrameKind.PIECE) {
            throw new StoreException.Corrupt(
                    "Cannot open " + header.id() + ": a PIECE is not sealed; expected DATA, NODE");
        }
        if (!header.domain().equals(domain) || header.keyEpoch() != keyEpoch) {
            throw new StoreException.Corrupt(
                    "Cannot open %s of domain %s epoch %d with the key of domain %s epoch %d"
                            .formatted(
                                    header.id(),
                                    header.domain(),
                                    header.keyEpoch(),
                                    domain,
                                    keyEpoch));
        }
        byte[] plain = unpack(header, unseal(frame, header));
        ChunkId id = id(header.kind(), plain, 0, plain.length, header.children());
        if (!id.equals(header.id())) {
            throw new StoreException.Corrupt(
                    "Frame of chunk " + header.id() + " holds the bytes of chunk " + id);
        }
        return plain;
    }

    /** Decrypts into the scratch buffer; answers how many bytes. */
    private int unseal(byte[] frame, Frame.Header header) throws StoreException.Corrupt {
        int headerBytes = header.headerBytes();
        int bodyBytes = header.totalBytes() - headerBytes;
        reserve(bodyBytes);
        try {
            cipher.init(
                    Cipher.DECRYPT_MODE,
                    sealKey,
                    new GCMParameterSpec(
                            TAG_BITS, frame, headerBytes - Frame.NONCE_BYTES, Frame.NONCE_BYTES));
            cipher.updateAAD(frame, 0, headerBytes);
            return cipher.doFinal(frame, headerBytes, bodyBytes, scratch, 0);
        } catch (AEADBadTagException e) {
            throw new StoreException.Corrupt(
                    "Frame of chunk " + header.id() + " does not match its seal: changed bytes");
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("AES-GCM refused to open " + header.id(), e);
        }
    }

    private byte[] unpack(Frame.Header header, int bytes) throws StoreException.Corrupt {
        ByteBuffer in = ByteBuffer.wrap(scratch, 0, bytes);
        byte codec = in.get();
        int length = in.getInt();
        int contentBytes = bytes - Frame.SEAL_PREFIX_BYTES;
        if (length < 0
                || length > Frame.MAX_PLAIN_BYTES
                || codec != RAW && codec != ZSTD
                || codec == RAW && length != contentBytes) {
            throw new StoreException.Corrupt(
                    "Chunk %s has codec %d and %d plain bytes in %d; expected 0 or 1, at most %d"
                            .formatted(
                                    header.id(),
                                    codec,
                                    length,
                                    contentBytes,
                                    Frame.MAX_PLAIN_BYTES));
        }
        byte[] plain = new byte[length];
        if (codec == RAW) {
            System.arraycopy(scratch, Frame.SEAL_PREFIX_BYTES, plain, 0, length);
            return plain;
        }
        int decompressed;
        try {
            decompressed =
                    zstds.decompressor()
                            .decompressByteArray(
                                    plain,
                                    0,
                                    length,
                                    scratch,
                                    Frame.SEAL_PREFIX_BYTES,
                                    contentBytes);
        } catch (ZstdException e) {
            throw new StoreException.Corrupt(
                    "Chunk " + header.id() + " does not decompress: " + e.getMessage());
        }
        if (decompressed != length) {
            throw new StoreException.Corrupt(
                    "Chunk %s decompresses to %d bytes, not %d"
                            .formatted(header.id(), decompressed, length));
        }
        return plain;
    }

    private void reserve(int bytes) {
        if (scratch.length < bytes) {
            scratch = new byte[Math.max(bytes, Math.min(2 * scratch.length, 5 << 20))];
        }
    }

    private static void requireSealed(FrameKind kind) {
        if (kind == FrameKind.PIECE) {
            throw new IllegalArgumentException("A PIECE is made by PieceHeader, not by a Sealer");
        }
    }

    /** Frees what zstd holds outside the heap; happens by itself when a sealer is forgotten. */
    @Override
    public void close() {
        cleanable.clean();
    }

    /** The native contexts, made when first needed. Must not refer to the sealer. */
    private static final class Zstds implements Runnable {
        private final int level;
        private @org.jspecify.annotations.Nullable ZstdCompressCtx compressor;
        private @org.jspecify.annotations.Nullable ZstdDecompressCtx decompressor;

        Zstds(int level) {
            this.level = level;
        }

        ZstdCompressCtx compressor() {
            if (compressor == null) {
                compressor = new ZstdCompressCtx();
                compressor.setLevel(level);
            }
            return compressor;
        }

        ZstdDecompressCtx decompressor() {
            if (decompressor == null) {
                decompressor = new ZstdDecompressCtx();
            }
            return decompressor;
        }

        @Override
        public void run() {
            if (compressor != null) {
                compressor.close();
            }
            if (decompressor != null) {
                decompressor.close();
            }
        }
    }
}
