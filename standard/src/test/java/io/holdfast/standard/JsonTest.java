package io.holdfast.standard;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class JsonTest {
    @Test
    void canonicalTextIsSortedAndExact() {
        Json json =
                Json.parse(
                        " { \"b\" : [1, 9223372036854775807, -0.50, 1e2], \"a\":{\"\\u00e9\":null, \"t\":true}} ");
        assertThat(json.print())
                .isEqualTo(
                        "{\"a\":{\"t\":true,\"é\":null},\"b\":[1,9223372036854775807,-0.5,100]}");
        assertThat(Json.parse(json.pretty())).isEqualTo(json);
        assertThat(json.pretty()).startsWith("{\n  \"a\": {\n    \"t\": true,");
        assertThat(json.list("b").get(1).longValue()).isEqualTo(Long.MAX_VALUE);
        assertThat(Json.object().put("x", Long.MIN_VALUE).build().longValue("x"))
                .isEqualTo(Long.MIN_VALUE);
    }

    @ParameterizedTest(name = "{0}")
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '~',
            value = {
                "{\"a\":1,\"a\":2}|7|once",
                "{\"a\":1|6|or '}'",
                "[1,]|3|JSON value",
                "01|0|leading zeros",
                "1.|2|digit",
                "\"a|0|end of the string",
                "\"\\x\"|1|one of",
                "tru|0|JSON value",
                "1 2|2|nothing after",
                "1e99999|0|exponent",
                "1e999|0|400 digits",
                "NaN|0|JSON value",
            })
    void badTextsNamePositionAndForm(String text, int position, String expected) {
        assertThatThrownBy(() -> Json.parse(text))
                .isInstanceOfSatisfying(
                        FormatException.class,
                        e -> {
                            assertThat(e.expected()).contains(expected);
                            assertThat(e.position()).isEqualTo(position);
                        });
    }

    @Test
    void depthAndLengthAreBounded() {
        assertThat(Json.parse("[".repeat(64) + "]".repeat(64)).print()).hasSize(128);
        assertThatThrownBy(() -> Json.parse("[".repeat(100_000)))
                .isInstanceOf(FormatException.class)
                .hasMessageContaining("64 levels");
        assertThatThrownBy(() -> Json.parse("[1,2,3]", 6)).isInstanceOf(FormatException.class);
    }

    @Test
    void accessorsNameThePath() {
        Json json = Json.parse("{\"sites\":{\"local\":[{\"host\":5,\"port\":1.5}]}}");
        JsonView node = json.get("sites").list("local").getFirst();
        assertThatThrownBy(() -> node.string("host")).hasMessageContaining("sites.local[0].host");
        assertThatThrownBy(() -> node.intValue("port")).hasMessageContaining("sites.local[0].port");
        assertThatThrownBy(() -> node.uuid("id")).hasMessageContaining("missing");
        assertThatThrownBy(() -> node.requireOnly(List.of("host"))).hasMessageContaining("port");
    }

    @Test
    void randomValuesReadBackAndRandomTextsAreReadOrRefused() {
        String alphabet = "{}[]\",:\\u0019-.eEtruefalsn \n\uD800é";
        for (long seed = 1; seed <= 20_000; seed++) {
            RandomGenerator random = new SplittableRandom(seed);
            Json value = value(random, 0);
            assertThat(Json.parse(value.print())).as("seed %d", seed).isEqualTo(value);
            assertThat(Json.parse(value.pretty())).as("seed %d", seed).isEqualTo(value);
            StringBuilder text = new StringBuilder(value.print());
            for (int i = random.nextInt(5); i >= 0; i--) {
                char c = alphabet.charAt(random.nextInt(alphabet.length()));
                text.insert(random.nextInt(text.length() + 1), c);
            }
            try {
                Json read = Json.parse(text.toString());
                assertThat(Json.parse(read.print())).as("seed %d", seed).isEqualTo(read);
            } catch (FormatException refused) {
                assertThat(refused.position()).isBetween(0, text.length());
            }
        }
    }

    private static Json value(RandomGenerator random, int depth) {
        return switch (random.nextInt(depth > 3 ? 5 : 7)) {
            case 0 -> Json.Null.NULL;
            case 1 -> Json.of(random.nextBoolean());
            case 2 -> Json.of(random.nextLong());
            case 3 -> Json.of(random.nextDouble() * 1e6);
            case 4 -> Json.of(string(random));
            case 5 -> {
                List<Json> items = new ArrayList<>();
                for (int i = random.nextInt(4); i > 0; i--) {
                    items.add(value(random, depth + 1));
                }
                yield Json.array(items);
            }
            default -> {
                Json.Builder out = Json.object();
                for (int i = random.nextInt(4); i > 0; i--) {
                    out.put(i + string(random), value(random, depth + 1));
                }
                yield out.build();
            }
        };
    }

    private static String string(RandomGenerator random) {
        StringBuilder out = new StringBuilder();
        for (int i = random.nextInt(6); i > 0; i--) {
            out.append((char) random.nextInt(random.nextBoolean() ? 0x80 : 0x10000));
        }
        return out.toString();
    }
}
