package io.holdfast.standard;

/**
 * How data is cut into chunks: FastCDC with normalised chunking. Stored in the MBR; two stores with
 * different parameters must never share chunks, because they would never find them again.
 *
 * @param minBytes no chunk but the last of a stream is smaller
 * @param averageBytes the aim, a power of two
 * @param maxBytes no chunk is larger
 * @param normalization level of normalised chunking, 0 to 3 (FastCDC paper, section 3.4)
 */
public record Chunking(int minBytes, int averageBytes, int maxBytes, int normalization) {
    /** What a new cluster starts with: 256 KiB, 1 MiB, 4 MiB, level 2. */
    public static final Chunking DEFAULT = new Chunking(256 << 10, 1 << 20, 4 << 20, 2);

    /** Checks the order and the ranges. */
    public Chunking {
        if (minBytes < 64
                || minBytes >= averageBytes
                || averageBytes >= maxBytes
                || maxBytes > 4 << 20
                || Integer.bitCount(averageBytes) != 1
                || normalization < 0
                || normalization > 3) {
            throw new FormatException(
                    "chunking",
                    minBytes + "/" + averageBytes + "/" + maxBytes + "/" + normalization,
                    0,
                    "64 <= min < average < max <= 4 MiB, average a power of two, level 0 to 3");
        }
    }
}
