package io.holdfast.node.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import io.holdfast.replication.state.Command;
import io.holdfast.replication.state.Entry;
import io.holdfast.replication.state.Tail;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TailFileTest {
    private static final UUID LINEAGE = new UUID(0xf000_0000_0000_0001L, 0x8000_0000_0000_0002L);

    @TempDir Path temp;

    private static Tail small() {
        return new Tail(
                LINEAGE,
                3,
                10,
                ByteString.copyFromUtf8("a state of some bytes"),
                List.of(
                        new Tail.LogEntry(3, 11, ByteString.copyFromUtf8("first")),
                        new Tail.LogEntry(4, 12, ByteString.EMPTY),
                        new Tail.LogEntry(5, 13, ByteString.copyFrom(new byte[] {0, -1, 127}))),
                5,
                13);
    }

    private static void refused(Path file) {
        assertThatThrownBy(() -> TailFile.read(file))
                .isInstanceOf(IOException.class)
                .hasMessageContaining(file.toString())
                .hasMessageContaining("damaged");
    }

    @Test
    void comesBackAsItWas() throws Exception {
        Path file = temp.resolve("tail-1");
        TailFile.write(file, small());
        assertThat(TailFile.read(file)).isEqualTo(small());
        try (var files = Files.list(temp)) {
            assertThat(files).containsExactly(file);
        }
    }

    @Test
    void anEmptyTailComesBack() throws Exception {
        Path file = temp.resolve("tail-1");
        Tail empty = new Tail(LINEAGE, -1, -1, ByteString.EMPTY, List.of(), -1, -1);
        TailFile.write(file, empty);
        assertThat(TailFile.read(file)).isEqualTo(empty);
    }

    @Test
    void replacesAnOlderOne() throws Exception {
        Path file = temp.resolve("tail-1");
        Files.write(file, new byte[10_000]);
        TailFile.write(file, small());
        assertThat(TailFile.read(file)).isEqualTo(small());
    }

    /** What the file is for: the state of a closed lineage, its last entries applied, without Raft. */
    @Test
    void theStateIsMaterializedFromTheFile() throws Exception {
        TestCluster cluster = TestCluster.create();
        ByteString before = cluster.state().toBytes();
        Command note = new Command.AuditNote("ada", "looked", "disk");
        Entry entry = new Entry(new UUID(9, 9), TestCluster.FIRST, cluster.now(), note);
        Path file = temp.resolve("tail-1");
        TailFile.write(
                file,
                new Tail(
                        LINEAGE,
                        1,
                        100,
                        before,
                        List.of(new Tail.LogEntry(1, 101, entry.toBytes())),
                        1,
                        101));
        assertThat(TailFile.read(file).materialize())
                .isEqualTo(cluster.state().apply(entry, 101).state())
                .isNotEqualTo(cluster.state());
    }

    @Test
    void everyTruncatedLengthIsRefused() throws Exception {
        Path file = temp.resolve("tail-1");
        TailFile.write(file, small());
        byte[] whole = Files.readAllBytes(file);
        for (int length = 0; length < whole.length; length++) {
            Files.write(file, Arrays.copyOf(whole, length));
            refused(file);
        }
    }

    @Test
    void aLongerFileIsRefused() throws Exception {
        Path file = temp.resolve("tail-1");
        TailFile.write(file, small());
        byte[] whole = Files.readAllBytes(file);
        Files.write(file, Arrays.copyOf(whole, whole.length + 1));
        refused(file);
    }

    @Test
    void aFlippedBitIsRefused() throws Exception {
        Path file = temp.resolve("tail-1");
        TailFile.write(file, small());
        byte[] whole = Files.readAllBytes(file);
        for (int at = 0; at < whole.length; at++) {
            byte[] damaged = whole.clone();
            damaged[at] ^= (byte) (1 << at % 8);
            Files.write(file, damaged);
            refused(file);
        }
    }

    @Test
    void anotherVersionIsRefusedByName() throws Exception {
        Path file = temp.resolve("tail-1");
        TailFile.write(file, small());
        byte[] whole = Files.readAllBytes(file);
        whole[3] = '2';
        int body = whole.length - 32;
        byte[] sum = MessageDigest.getInstance("SHA-256").digest(Arrays.copyOf(whole, body));
        System.arraycopy(sum, 0, whole, body, 32);
        Files.write(file, whole);
        assertThatThrownBy(() -> TailFile.read(file))
                .isInstanceOf(IOException.class)
                .hasMessageContaining(file.toString())
                .hasMessageContaining("version");
    }
}
