package io.holdfast.standard;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.holdfast.standard.Identifier.Param;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class IdentifierTest {
    private static final String NASTY = "aZ09 %?,:[]+/\\<>\"'\0\n\u007f\u0085é漢/.-_IPSETTINGS";

    /** Each block of the file: the seed's text, its canonical form, its parts. */
    @Test
    void everyFormOfTheSeedIsReadAsTheGoldenFileSays() throws IOException {
        List<String> blocks = List.of(Golden.read("identifiers.txt").split("\n\n"));
        StringBuilder out = new StringBuilder();
        for (String block : blocks) {
            String text = block.lines().findFirst().orElseThrow();
            out.append(out.isEmpty() ? "" : "\n\n").append(describe(text));
        }
        Golden.check("identifiers.txt", out + "\n");
        assertThat(blocks).hasSizeGreaterThan(12);
    }

    private static String describe(String text) {
        Identifier id = Identifier.parse(text);
        StringBuilder out = new StringBuilder(text).append("\n  = ").append(id);
        out.append("\n  endpoint ").append(id.endpoint()).append("\n  method ").append(id.method());
        for (Param param : id.params()) {
            out.append(
                    switch (param) {
                        case Param.Positional p -> "\n  positional '" + p.value() + "'";
                        case Param.KeyValue kv -> "\n  key " + kv.key() + " '" + kv.value() + "'";
                    });
        }
        return out.append("\n  location '").append(id.location()).append("'").toString();
    }

    @ParameterizedTest(name = "{0}")
    @CsvSource(
            delimiter = '|',
            value = {
                "10.10.11.22:3456|16|METHOD",
                "10.10.11.22?READ?/x|11|port",
                "10.10.11.22:70000?READ?/x|12|1 to 65535",
                "10.10.11.022:1?READ?/x|0|leading zeros",
                "10.10.11.256:1?READ?/x|0|0 to 255",
                "::1:1?READ?/x|0|host",
                "[::1:1?READ?/x|6|']'",
                "[::ffff:10.0.0.1]:1?READ?/x|1|plain IPv4",
                "a_b:1?READ?/x|0|host name",
                "h:1?read?/x|4|upper-case",
                "h:1??/x|4|method",
                "h:1?READ:?/x|9|parameter",
                "h:1?READ:a,,b?/x|11|parameter",
                "h:1?READ:a, ,b?/x|12|parameter",
                "h:1?READ:2001:db8::1?/x|9|brackets",
                "h:1?READ?/x?y|11|escape",
                "h:1?READ?/x%4|11|two hexadecimal",
                "h:1?READ?/x%C3%28|11|UTF-8",
            })
    void badTextsNamePositionAndForm(String text, int position, String expected) {
        assertThatThrownBy(() -> Identifier.parse(text))
                .isInstanceOfSatisfying(
                        FormatException.class,
                        e -> {
                            assertThat(e.expected()).contains(expected);
                            assertThat(e.position()).isEqualTo(position);
                        });
    }

    @Test
    void longestIsReadAndLongerIsRefused() {
        String head = "h:1?READ?";
        String longest = head + "x".repeat(Identifier.MAX_CHARS - head.length());
        assertThat(Identifier.parse(longest)).hasToString(longest);
        assertThatThrownBy(() -> Identifier.parse(longest + "x"))
                .isInstanceOf(FormatException.class);
        assertThatThrownBy(() ->
                        new Identifier(Endpoint.of("h", 1), "READ", List.of(), "%".repeat(3000)))
                .isInstanceOf(FormatException.class);
    }

    @Test
    void printedFormReadsBackForRandomIdentifiers() {
        for (long seed = 1; seed <= 20_000; seed++) {
            RandomGenerator random = new SplittableRandom(seed);
            List<Param> params = new ArrayList<>();
            for (int i = random.nextInt(4); i > 0; i--) {
                params.add(param(random));
            }
            String location = random.nextInt(3) == 0 ? "" : nasty(random, 0);
            Identifier id =
                    new Identifier(
                            Endpoint.parse(random.nextBoolean() ? "[2001:DB8::1]:7" : "Host.a:9"),
                            random.nextBoolean()
                                    ? "READ"
                                    : "X-1.b_2".toUpperCase(java.util.Locale.ROOT),
                            params,
                            location);
            assertThat(Identifier.parse(id.toString())).as("seed %d: %s", seed, id).isEqualTo(id);
        }
    }

    private static Param param(RandomGenerator random) {
        return switch (random.nextInt(6)) {
            case 0 -> Identifier.positional("SETTINGS");
            case 1 -> Identifier.keyValue("SETTINGS", nasty(random, 0));
            case 2 -> Identifier.keyValue("fe80", "::" + random.nextInt(10));
            case 3 -> Identifier.keyValue("IP", nasty(random, 0));
            case 4 -> Identifier.positional("2001:db8::" + random.nextInt(10));
            default -> Identifier.positional(nasty(random, 1));
        };
    }

    private static String nasty(RandomGenerator random, int min) {
        StringBuilder out = new StringBuilder();
        for (int i = min + random.nextInt(8); i > 0; i--) {
            out.append(NASTY.charAt(random.nextInt(NASTY.length())));
        }
        return out.append(random.nextInt(9) == 0 ? "\uD83D\uDE00" : "").toString();
    }

    @Test
    void anyTextIsReadOrRefusedAndWhatIsReadPrintsToAFixedPoint() {
        int read = 0;
        String alphabet = "?:,%[]1a. READWTSINGS/\0\uD800" + NASTY;
        for (long seed = 1; seed <= 50_000; seed++) {
            RandomGenerator random = new SplittableRandom(seed);
            StringBuilder text = new StringBuilder(random.nextInt(4) == 0 ? "" : "h:1?READ");
            for (int i = random.nextInt(30); i > 0; i--) {
                text.append(
                        random.nextInt(10) == 0
                                ? (char) random.nextInt(0x10000)
                                : alphabet.charAt(random.nextInt(alphabet.length())));
            }
            try {
                Identifier id = Identifier.parse(text.toString());
                assertThat(Identifier.parse(id.toString()))
                        .as("seed %d: %s", seed, text)
                        .isEqualTo(id)
                        .hasToString(id.toString());
                read++;
            } catch (FormatException refused) {
                assertThat(refused.position()).isBetween(0, text.length());
            }
        }
        assertThat(read).isGreaterThan(500);
    }

    @Test
    void endpointsAreCanonical() {
        assertThat(Endpoint.parse("[2001:DB8:0:0:0:0:0:1]:80")).hasToString("[2001:db8::1]:80");
        assertThat(Endpoint.parse("[1:0:0:2:0:0:0:3]")).hasToString("[1:0:0:2::3]");
        assertThat(Endpoint.parse("[1:0:2:3:4:5:6:7]")).hasToString("[1:0:2:3:4:5:6:7]");
        assertThat(Endpoint.parse("[::]:1").host()).isEqualTo("::");
        assertThat(Endpoint.parse("NAS.Acme.com")).isEqualTo(Endpoint.ofHost("nas.acme.com"));
        assertThat(Endpoint.ofAddress("Disk1")).isEmpty();
        assertThat(Endpoint.ofAddress("2001:db8::1")).isPresent();
        assertThatThrownBy(() -> Endpoint.of("NAS", 1)).isInstanceOf(FormatException.class);
        assertThatThrownBy(() -> Endpoint.of("::01", 1)).isInstanceOf(FormatException.class);
        assertThatThrownBy(() -> Endpoint.of("a", 0)).isInstanceOf(FormatException.class);
        for (String bad :
                List.of("", "a..b", "-a", "a-", "1.2.3", "0x7f000001", "a:01", "a:", "[a]", "a.")) {
            assertThatThrownBy(() -> Endpoint.parse(bad))
                    .as(bad)
                    .isInstanceOf(FormatException.class);
        }
    }
}
