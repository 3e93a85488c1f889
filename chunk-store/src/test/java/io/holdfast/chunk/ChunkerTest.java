package io.holdfast.chunk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.holdfast.standard.Chunking;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class ChunkerTest {
    private static final Chunking SMALL = new Chunking(256, 1024, 4096, 2);

    static List<Integer> lengths(Chunking chunking, InputStream in) throws IOException {
        Chunker chunker = new Chunker(chunking, in);
        List<Integer> lengths = new ArrayList<>();
        while (chunker.next()) {
            lengths.add(chunker.length());
        }
        assertThat(chunker.next()).isFalse();
        return lengths;
    }

    private static List<Integer> lengths(Chunking chunking, byte[] bytes) throws IOException {
        return lengths(chunking, new ByteArrayInputStream(bytes));
    }

    @Test
    void goldenCutsOfASeededStream() throws Exception {
        byte[] bytes = Samples.bytes(2026, 24 << 20);
        StringBuilder text = new StringBuilder();
        text.append("# chunk lengths of SplittableRandom(2026).nextBytes(24 MiB)\n");
        text.append("default ").append(lengths(Chunking.DEFAULT, bytes)).append('\n');
        for (int level = 0; level <= 3; level++) {
            byte[] head = java.util.Arrays.copyOf(bytes, 64 << 10);
            text.append("256/1024/4096/").append(level).append(' ');
            text.append(lengths(new Chunking(256, 1024, 4096, level), head)).append('\n');
        }
        Golden.assertTextMatches("chunker.txt", text.toString());
    }

    @Test
    void emptyAndTinyStreams() throws Exception {
        assertThat(lengths(SMALL, new byte[0])).isEmpty();
        assertThat(lengths(SMALL, new byte[1])).containsExactly(1);
        assertThat(lengths(SMALL, new byte[256])).containsExactly(256);
        assertThat(lengths(SMALL, new byte[257])).hasSize(1);
    }

    @Test
    void zerosAreCutAtTheMaximum() throws Exception {
        // GEAR[0] is not zero, but a run of one byte has a constant hash: only the maximum cuts it.
        assertThat(lengths(SMALL, new byte[10_000])).containsExactly(4096, 4096, 1808);
    }

    @Test
    void resetServesAnotherStreamWithTheSameBuffer() throws Exception {
        byte[] one = Samples.bytes(1, 20_000);
        byte[] two = Samples.bytes(2, 30_000);
        Chunker chunker = new Chunker(SMALL, new ByteArrayInputStream(one));
        chunker.next();
        byte[] buffer = chunker.buffer();
        chunker.reset(new ByteArrayInputStream(two));
        List<Integer> lengths = new ArrayList<>();
        while (chunker.next()) {
            lengths.add(chunker.length());
        }
        assertThat(chunker.buffer()).isSameAs(buffer);
        assertThat(lengths).isEqualTo(lengths(SMALL, two));
    }

    @Test
    void failureOfTheStreamIsTold() {
        InputStream broken =
                new InputStream() {
                    @Override
                    public int read() throws IOException {
                        throw new IOException("gone");
                    }
                };
        assertThatThrownBy(() -> new Chunker(SMALL, broken).next())
                .isInstanceOf(IOException.class)
                .hasMessage("gone");
    }

    @Test
    void averageIsNearTheAim() throws Exception {
        List<Integer> lengths = lengths(SMALL, Samples.bytes(3, 4 << 20));
        double average = (4 << 20) / (double) lengths.size();
        assertThat(average).isBetween(900.0, 1500.0);
        // Normalised chunking: most chunks lie near the average.
        long near = lengths.stream().filter(n -> n >= 512 && n <= 2048).count();
        assertThat(near).isGreaterThan(lengths.size() * 3 / 4);
    }

    /** The rule of the Javadoc, written down naively: no buffer, no warm-up tricks. */
    static List<Integer> naive(Chunking chunking, byte[] bytes, long[] gear) {
        List<Integer> lengths = new ArrayList<>();
        int bits = Integer.numberOfTrailingZeros(chunking.averageBytes());
        int from = 0;
        while (from < bytes.length) {
            int length = 1;
            for (; from + length < bytes.length && length < chunking.maxBytes(); length++) {
                if (length < chunking.minBytes()) {
                    continue;
                }
                long value = 0;
                for (int i = from + Math.max(length - 64, 0); i < from + length; i++) {
                    value = (value << 1) + gear[bytes[i] & 0xff];
                }
                int zeros =
                        length <= chunking.averageBytes()
                                ? bits + chunking.normalization()
                                : bits - chunking.normalization();
                if (value >>> 64 - zeros == 0) {
                    break;
                }
            }
            lengths.add(length);
            from += length;
        }
        return lengths;
    }

    static long[] gear() {
        long[] table = new long[256];
        long state = 0x486f6c6466617374L;
        for (int i = 0; i < 256; i++) {
            state += 0x9e3779b97f4a7c15L;
            long z = (state ^ state >>> 30) * 0xbf58476d1ce4e5b9L;
            z = (z ^ z >>> 27) * 0x94d049bb133111ebL;
            table[i] = z ^ z >>> 31;
        }
        return table;
    }
}
