package io.holdfast.replication.state;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import io.holdfast.replication.proto.cluster.v1.State;
import io.holdfast.standard.Site;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/**
 * Bytes that may be on somebody's disk. {@code -Dgolden.write=true} writes new ones, for a format that
 * has not been released.
 */
class GoldenTest {
    private static final Path FOLDER = Path.of("src/test/resources/golden/cluster");

    @Test
    void entriesReadAndWriteAsTheyAlwaysDid() throws IOException {
        Map<String, ByteString> bytes = new TreeMap<>();
        Map<String, Entry> entries = new TreeMap<>();
        Map<String, Command> commands = new TreeMap<>(Samples.commands());
        commands.putAll(Samples.checkpoints());
        commands.forEach((name, command) -> {
            Entry entry = new Entry(Samples.id(1234), Samples.FIRST, 5_678, command);
            entries.put(name, entry);
            bytes.put(name, entry.toBytes());
        });
        for (Map.Entry<String, Entry> expected : entries.entrySet()) {
            ByteString golden = golden("entry-" + expected.getKey(), bytes.get(expected.getKey()));
            assertThat(Entry.parse(golden)).as(expected.getKey()).isEqualTo(expected.getValue());
            assertThat(bytes.get(expected.getKey())).as(expected.getKey()).isEqualTo(golden);
        }
    }

    @Test
    void everyCommandHasAGoldenFile() {
        assertThat(Samples.commands().values().stream().map(Object::getClass).distinct())
                .hasSize(Command.class.getPermittedSubclasses().length);
    }

    @Test
    void stateReadsAndWritesAsItAlwaysDid() throws IOException {
        ClusterState state = ClusterState.empty();
        long index = 0;
        state =
                state.apply(
                                new Entry(
                                        Samples.id(700),
                                        Samples.FIRST,
                                        1,
                                        Command.EpochChange.first(
                                                Samples.FIRST, Samples.LINEAGE, "init")),
                                index++)
                        .state();
        for (Command command : Samples.commands().values()) {
            if (command instanceof Command.EpochChange || command instanceof Command.SwitchAbort) {
                continue;
            }
            Entry entry = new Entry(Samples.id(800 + index), Samples.FIRST, 1_000 * index, command);
            state = state.apply(entry, index++).state();
        }
        ByteString golden = golden("state", state.toBytes());
        assertThat(ClusterState.parse(golden).toBytes()).isEqualTo(golden);
        assertThat(state.toBytes()).isEqualTo(golden);
    }

    /** The fields that came later; the file of the test above was written without them. */
    @Test
    void stateWithCheckpointsReadsAndWritesAsItAlwaysDid() throws IOException {
        ClusterState state =
                ClusterState.parse(
                        ByteString.copyFrom(
                                HexFormat.of()
                                        .parseHex(
                                                Files.readString(FOLDER.resolve("state.hex"))
                                                        .replaceAll("\\s", ""))));
        long index = 500;
        state = applied(state, new Command.SwitchAbort("free the way"), index++);
        for (Command command : Samples.checkpoints().values()) {
            state = applied(state, command, index++);
        }
        ByteString golden = golden("state-checkpoints", state.toBytes());
        ClusterState read = ClusterState.parse(golden);
        assertThat(read.toBytes()).isEqualTo(golden);
        assertThat(state.toBytes()).isEqualTo(golden);
        assertThat(read.job(Samples.id(40)).orElseThrow().continuedBy()).contains(Samples.id(41));
        assertThat(read.job(Samples.id(41)).orElseThrow().continues()).contains(Samples.id(40));
        assertThat(read.job(Samples.id(20)).orElseThrow().continues()).isEmpty();
        assertThat(read.draining().orElseThrow().limitMillis()).isEqualTo(60_000);
    }

    private static ClusterState applied(ClusterState state, Command command, long index) {
        Applied next =
                state.apply(
                        new Entry(Samples.id(800 + index), state.epoch(), 1_000 * index, command),
                        index);
        assertThat(next.reply()).as(command.toString()).isInstanceOf(Reply.Done.class);
        return next.state();
    }

    /** Older bytes, which name no site, mean both; those of the other goldens are from before there was one. */
    @Test
    void anExpiryAtOneSiteHasItsOwnBytes() throws IOException {
        Entry entry =
                new Entry(Samples.id(1234), Samples.FIRST, 5_678, Samples.expireAt(20, Site.LOCAL));
        ByteString written = golden("entry-expire-at-local", entry.toBytes());
        assertThat(Entry.parse(written)).isEqualTo(entry);
        assertThat(entry.toBytes()).isEqualTo(written);
        ByteString older =
                golden(
                        "entry-expire",
                        new Entry(Samples.id(1234), Samples.FIRST, 5_678, Samples.expire(20))
                                .toBytes());
        assertThat(((Command.Expire) Entry.parse(older).command()).onlyAt()).isEmpty();

        ClusterState state = ClusterState.empty();
        long index = 0;
        for (Command command :
                List.of(
                        Command.EpochChange.first(Samples.FIRST, Samples.LINEAGE, "init"),
                        Samples.expireAt(20, Site.LOCAL),
                        Samples.expireAt(21, Site.DR),
                        Samples.expire(22))) {
            Entry next = new Entry(Samples.id(800 + index), Samples.FIRST, 1_000, command);
            state = state.apply(next, index++).state();
        }
        ByteString golden = golden("state-expiries", state.toBytes());
        assertThat(state.toBytes()).isEqualTo(golden);
        ClusterState read = ClusterState.parse(golden);
        assertThat(read.toBytes()).isEqualTo(golden);
        assertThat(read.expiries()).isEqualTo(state.expiries());
        assertThat(read.keeper(Samples.id(1020))).contains(Site.DR);
        assertThat(read.keeper(Samples.id(1021))).contains(Site.LOCAL);
        assertThat(read.keeper(Samples.id(1022))).isEmpty();
    }

    @Test
    void unknownVersionIsRefusedWithAMessage() throws IOException {
        ByteString entry =
                Codec.entry(
                                new Entry(
                                        Samples.id(1),
                                        Samples.FIRST,
                                        0,
                                        new Command.SwitchAbort("x")))
                        .toBuilder()
                        .setVersion(2)
                        .build()
                        .toByteString();
        assertThatThrownBy(() -> Entry.parse(entry))
                .isInstanceOf(UnknownVersionException.class)
                .hasMessageContaining("version 2")
                .hasMessageContaining("newer version of Holdfast");
        ByteString state =
                State.parseFrom(ClusterState.empty().toBytes()).toBuilder()
                        .setVersion(9)
                        .build()
                        .toByteString();
        assertThatThrownBy(() -> ClusterState.parse(state))
                .isInstanceOf(UnknownVersionException.class);
        ByteString unknownCommand =
                Codec.entry(
                                new Entry(
                                        Samples.id(1),
                                        Samples.FIRST,
                                        0,
                                        new Command.SwitchAbort("x")))
                        .toBuilder()
                        .clearCommand()
                        .build()
                        .toByteString();
        assertThatThrownBy(() -> Entry.parse(unknownCommand))
                .isInstanceOf(UnknownVersionException.class);
    }

    private static ByteString golden(String name, ByteString now) throws IOException {
        Path file = FOLDER.resolve(name + ".hex");
        if (Boolean.getBoolean("golden.write")) {
            Files.createDirectories(FOLDER);
            Files.writeString(
                    file,
                    HexFormat.of().formatHex(now.toByteArray()).replaceAll("(.{96})", "$1\n")
                            + "\n");
        }
        return ByteString.copyFrom(
                HexFormat.of().parseHex(Files.readString(file).replaceAll("\\s", "")));
    }
}
