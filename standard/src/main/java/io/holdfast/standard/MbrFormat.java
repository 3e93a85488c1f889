package io.holdfast.standard;

import java.security.PrivateKey;
import java.security.PublicKey;

/** The file form of the {@link Mbr}: canonical JSON, a checksum line, a signature line. */
public final class MbrFormat {
    private MbrFormat() {}

    /** The text of the file, signed. */
    public static String print(Mbr mbr, PrivateKey key) {
        throw new UnsupportedOperationException("not built yet");
    }

    /** Reads a file and checks checksum and signature. */
    public static Mbr parse(String text, PublicKey key) {
        throw new UnsupportedOperationException("not built yet");
    }

    /** Reads a file and checks only the checksum, for tools. */
    public static Mbr parseUnverified(String text) {
        throw new UnsupportedOperationException("not built yet");
    }
}
