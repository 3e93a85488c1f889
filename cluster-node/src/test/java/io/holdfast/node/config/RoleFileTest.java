package io.holdfast.node.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.holdfast.standard.Epoch;
import io.holdfast.standard.FormatException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RoleFileTest {
    @TempDir Path temp;

    @Test
    void isReadBackAndReplaced() throws Exception {
        Path file = temp.resolve("deep/role.json");
        assertThat(RoleFile.read(file)).isEmpty();
        RoleFile one = new RoleFile("ACTIVE", Epoch.parse("1.local"), new UUID(1, 2));
        one.write(file);
        assertThat(RoleFile.read(file)).contains(one);
        RoleFile two = new RoleFile("FENCED", Epoch.parse("2.dr"), new UUID(1, 3));
        two.write(file);
        assertThat(RoleFile.read(file)).contains(two);
        assertThat(Files.readString(file)).startsWith("{\"role\":\"FENCED\",\"epoch\":\"2.dr\",");
    }

    @Test
    void damageIsRefusedAtEveryLength() throws Exception {
        Path file = temp.resolve("role.json");
        new RoleFile("ACTIVE", Epoch.parse("1.local"), new UUID(1, 2)).write(file);
        String whole = Files.readString(file);
        for (int length = 0; length < whole.length(); length++) {
            Files.writeString(file, whole.substring(0, length));
            assertThatThrownBy(() -> RoleFile.read(file)).isInstanceOf(FormatException.class);
        }
        Files.writeString(file, whole.replace("1.local", "9.local"));
        assertThatThrownBy(() -> RoleFile.read(file)).isInstanceOf(FormatException.class);
    }
}
