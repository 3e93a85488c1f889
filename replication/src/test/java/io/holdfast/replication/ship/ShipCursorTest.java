package io.holdfast.replication.ship;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.chunk.LogPosition;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ShipCursorTest {
    @TempDir Path folder;

    @Test
    void isOfOnePairAndStartsOverWhenDamaged() throws Exception {
        UUID own = UUID.randomUUID();
        UUID peer = UUID.randomUUID();
        ShipCursor cursor = ShipCursor.of(folder.resolve("ship"), own, peer);
        assertThat(cursor.load()).isEqualTo(LogPosition.START);
        cursor.save(new LogPosition(12, 345_678));
        assertThat(ShipCursor.of(folder.resolve("ship"), own, peer).load())
                .isEqualTo(new LogPosition(12, 345_678));
        assertThat(ShipCursor.of(folder.resolve("ship"), peer, own).load())
                .isEqualTo(LogPosition.START);

        Path file = Files.list(folder.resolve("ship")).findFirst().orElseThrow();
        byte[] whole = Files.readAllBytes(file);
        for (int length = 0; length < whole.length; length++) {
            Files.write(file, Arrays.copyOf(whole, length));
            assertThat(cursor.load()).as("%d bytes", length).isEqualTo(LogPosition.START);
        }
        for (int i = 0; i < whole.length; i++) {
            byte[] damaged = whole.clone();
            damaged[i] ^= 1;
            Files.write(file, damaged);
            assertThat(cursor.load()).as("byte %d", i).isEqualTo(LogPosition.START);
        }
    }
}
