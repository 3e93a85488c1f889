package io.holdfast.chunk.folder;

import io.holdfast.chunk.Frame;
import io.holdfast.chunk.StoreException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;
import java.util.UUID;
import java.util.zip.CRC32C;

/**
 * The bytes of a pack file {@code packs/0000000001.pack}: a header, then records, each a record
 * header and a frame. Nothing follows the last record, and nothing is ever changed in place.
 *
 * <p>Layout, version 1; numbers are big-endian:
 *
 * <pre>
 * pack header                                   record header
 * offset  bytes  what                           offset  bytes  what
 * 0       4      magic "HFPK"                   0       4      magic "HFRC"
 * 4       4      version, 1                     4       4      bytes of the frame
 * 8       16     store incarnation, UUID        8       32     SHA-256 of the frame
 * 24      8      sequence number of the pack    40      4      reserved, 0
 * 32      28     reserved, 0                    44      4      CRC-32C of the 44 bytes before
 * 60      4      CRC-32C of the 60 bytes before 48             the frame
 * </pre>
 *
 * <p>The SHA-256 stands beside the frame as well as in the index, so that an index can be rebuilt
 * from its pack without believing damaged bytes, and a torn tail can be told from a whole one.
 */
final class PackFormat {
    static final int HEADER_BYTES = 64;
    static final int RECORD_BYTES = 48;
    static final int DIGEST_BYTES = 32;
    static final int RECORD_MAGIC = 0x48465243;
    private static final int MAGIC = 0x4846504b;
    private static final int VERSION = 1;
    private static final int NAME_DIGITS = 10;

    private PackFormat() {}

    static String packName(long sequence) {
        return String.format(Locale.ROOT, "%010d.pack", sequence);
    }

    static String indexName(long sequence) {
        return String.format(Locale.ROOT, "%010d.idx", sequence);
    }

    /** The sequence number of a pack or index by its file name, or empty for other files. */
    static Optional<Long> sequence(Path file, String suffix) {
        String name = String.valueOf(file.getFileName());
        if (name.length() != NAME_DIGITS + suffix.length()
                || !name.endsWith(suffix)
                || !name.chars().limit(NAME_DIGITS).allMatch(c -> c >= '0' && c <= '9')) {
            return Optional.empty();
        }
        return Optional.of(Long.parseLong(name.substring(0, NAME_DIGITS)));
    }

    static byte[] header(UUID incarnation, long sequence) {
        byte[] header = new byte[HEADER_BYTES];
        ByteBuffer out = ByteBuffer.wrap(header);
        out.putInt(MAGIC).putInt(VERSION);
        out.putLong(incarnation.getMostSignificantBits());
        out.putLong(incarnation.getLeastSignificantBits());
        out.putLong(sequence);
        out.putInt(HEADER_BYTES - 4, crc(header, 0, HEADER_BYTES - 4));
        return header;
    }

    /** What a pack's header says. */
    record Header(UUID incarnation, long sequence) {}

    /**
     * Reads a pack's header; empty when its bytes are damaged or incomplete.
     *
     * @throws StoreException.Corrupt when it is whole, but of an unknown version
     */
    static Optional<Header> parseHeader(byte[] bytes, Path file) throws StoreException.Corrupt {
        ByteBuffer in = ByteBuffer.wrap(bytes);
        if (bytes.length < HEADER_BYTES
                || in.getInt(0) != MAGIC
                || in.getInt(HEADER_BYTES - 4) != crc(bytes, 0, HEADER_BYTES - 4)) {
            return Optional.empty();
        }
        int version = in.getInt(4);
        if (version != VERSION) {
            throw new StoreException.Corrupt(
                    "Refused pack "
                            + file
                            + ": version "
                            + version
                            + " is unknown here; open it with the program that wrote it");
        }
        return Optional.of(new Header(new UUID(in.getLong(8), in.getLong(16)), in.getLong(24)));
    }

    static void writeRecord(byte[] target, int frameBytes, byte[] digest) {
        ByteBuffer out = ByteBuffer.wrap(target);
        out.putInt(RECORD_MAGIC).putInt(frameBytes).put(digest).putInt(0);
        out.putInt(crc(target, 0, RECORD_BYTES - 4));
    }

    /** Bytes of the frame after the record header at {@code offset}; -1 when that is damaged. */
    static int frameBytes(byte[] bytes, int offset) {
        ByteBuffer in = ByteBuffer.wrap(bytes);
        int frameBytes = in.getInt(offset + 4);
        return in.getInt(offset) == RECORD_MAGIC
                        && frameBytes > 0
                        && frameBytes <= Frame.MAX_BYTES
                        && in.getInt(offset + RECORD_BYTES - 4)
                                == crc(bytes, offset, RECORD_BYTES - 4)
                ? frameBytes
                : -1;
    }

    static boolean digestMatches(byte[] record, byte[] digest) {
        return Arrays.equals(record, 8, 8 + DIGEST_BYTES, digest, 0, DIGEST_BYTES);
    }

    static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("This JDK lacks SHA-256", e);
        }
    }

    private static int crc(byte[] bytes, int offset, int length) {
        CRC32C crc = new CRC32C();
        crc.update(bytes, offset, length);
        return (int) crc.getValue();
    }
}
