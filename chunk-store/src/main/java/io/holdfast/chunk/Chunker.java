package io.holdfast.chunk;

import io.holdfast.standard.Chunking;
import java.io.IOException;
import java.io.InputStream;
import java.util.Objects;

/**
 * Cuts a stream into content-defined chunks: FastCDC (Xia et al., USENIX ATC 2016) with normalised
 * chunking. The same bytes give the same cuts, however the stream hands them out, and an insertion
 * moves only the cuts around it.
 *
 * <p>The rule, for another implementation. A 64-bit rolling value starts at 0, 64 bytes before the
 * smallest possible cut, and takes each byte {@code b} by {@code value = (value << 1) + GEAR[b]}, so
 * that it depends on the last 64 bytes alone. A chunk ends after the first byte, from {@code
 * minBytes} on, after which the top bits of the value are all zero: {@code bits + normalization} of
 * them up to {@code averageBytes}, {@code bits - normalization} beyond, where {@code averageBytes =
 * 2^bits}. It ends at {@code maxBytes} at the latest. Only the last chunk of a stream is shorter than
 * {@code minBytes}. {@code GEAR[i]} is output number {@code i} of SplitMix64 with the seed {@code
 * 0x486f6c6466617374} ("Holdfast" in ASCII): these numbers are part of the stored format.
 *
 * <p>One buffer of twice {@code maxBytes} is all the memory it takes, and bytes are moved only when
 * a chunk straddles its end. Not thread-safe; reuse it for many files with {@link #reset}.
 */
public final class Chunker {
    private static final long GEAR_SEED = 0x486f6c6466617374L;
    private static final int WINDOW = 64;
    private static final long[] GEAR = gear();

    private final Chunking chunking;
    private final long strictMask;
    private final long looseMask;
    private final byte[] buffer;
    private InputStream in;
    private int offset;
    private int length;
    private int filled;
    private boolean ended;

    /** A chunker of {@code in}, which it does not close. */
    public Chunker(Chunking chunking, InputStream in) {
        this.chunking = chunking;
        int bits = Integer.numberOfTrailingZeros(chunking.averageBytes());
        this.strictMask = topBits(bits + chunking.normalization());
        this.looseMask = topBits(Math.max(1, bits - chunking.normalization()));
        this.buffer = new byte[2 * chunking.maxBytes()];
        this.in = Objects.requireNonNull(in);
    }

    /** Starts again with another stream and the same buffer: one chunker serves many files. */
    public void reset(InputStream in) {
        this.in = Objects.requireNonNull(in);
        offset = 0;
        length = 0;
        filled = 0;
        ended = false;
    }

    /** Moves to the next chunk; false at the end of the stream. An empty stream has no chunks. */
    public boolean next() throws IOException {
        offset += length;
        length = 0;
        while (true) {
            int cut = cut(buffer, offset, filled - offset, ended);
            if (cut >= 0) {
                length = cut;
                return cut > 0;
            }
            fill();
        }
    }

    /** The array that holds the chunk until the next call of {@link #next}. */
    public byte[] buffer() {
        return buffer;
    }

    /** Where the chunk begins in {@link #buffer()}. */
    public int offset() {
        return offset;
    }

    /** Bytes of the chunk: at least 1, at most {@code maxBytes}. */
    public int length() {
        return length;
    }

    /** Length of the chunk that begins at {@code from}, or -1 when more bytes are needed to tell. */
    private int cut(byte[] bytes, int from, int available, boolean atEnd) {
        int min = chunking.minBytes();
        int limit = Math.min(available, chunking.maxBytes());
        if (available <= min) {
            return atEnd ? available : -1;
        }
        long value = 0;
        int i = from + min - WINDOW;
        int firstCut = from + min - 1;
        while (i < firstCut) {
            value = (value << 1) + GEAR[bytes[i++] & 0xff];
        }
        int strictEnd = from + Math.min(limit, chunking.averageBytes());
        long mask = strictMask;
        while (i < strictEnd) {
            value = (value << 1) + GEAR[bytes[i++] & 0xff];
            if ((value & mask) == 0) {
                return i - from;
            }
        }
        int end = from + limit;
        mask = looseMask;
        while (i < end) {
            value = (value << 1) + GEAR[bytes[i++] & 0xff];
            if ((value & mask) == 0) {
                return i - from;
            }
        }
        return atEnd || limit == chunking.maxBytes() ? limit : -1;
    }

    private void fill() throws IOException {
        if (offset > 0) {
            System.arraycopy(buffer, offset, buffer, 0, filled - offset);
            filled -= offset;
            offset = 0;
        }
        while (filled < buffer.length) {
            int read = in.read(buffer, filled, buffer.length - filled);
            if (read < 0) {
                ended = true;
                return;
            }
            filled += read;
        }
    }

    private static long topBits(int bits) {
        return -1L << (64 - bits);
    }

    /** SplitMix64 (Steele, Lea, Flood 2014). */
    private static long[] gear() {
        long[] table = new long[256];
        long state = GEAR_SEED;
        for (int i = 0; i < table.length; i++) {
            state += 0x9e3779b97f4a7c15L;
            long z = state;
            z = (z ^ z >>> 30) * 0xbf58476d1ce4e5b9L;
            z = (z ^ z >>> 27) * 0x94d049bb133111ebL;
            table[i] = z ^ z >>> 31;
        }
        return table;
    }
}
