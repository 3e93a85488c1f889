package io.holdfast.standard;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class RetentionTest {
    @ParameterizedTest
    @ValueSource(
            strings = {
                "forever",
                "P30D",
                "PT36H",
                "last 3",
                "P30D, last 3, daily 7, weekly 4, monthly 12, yearly 5",
                "yearly 100000"
            })
    void itsTextIsReadAsItWasPrinted(String text) {
        assertThat(Retention.parse(text).toString()).isEqualTo(text);
        assertThat(Retention.parse(Retention.parse(text).toString()))
                .isEqualTo(Retention.parse(text));
    }

    @Test
    void clausesComeInAnyOrder() {
        assertThat(Retention.parse("daily 7,PT24H"))
                .isEqualTo(Retention.parse("P1D, daily 7"))
                .extracting(Retention::counts)
                .isEqualTo(true);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "P0D",
                "P-1D",
                "P30D, P40D",
                "last",
                "last 0",
                "last 100001",
                "last -1",
                "last 3, last 4",
                "hourly 3",
                "forever, last 3",
                "P999999D",
                "last 3,",
                "last 03"
            })
    void whatItDoesNotSayIsRefused(String text) {
        assertThatThrownBy(() -> Retention.parse(text))
                .isInstanceOf(FormatException.class)
                .hasMessageContaining("retention");
    }

    @Test
    void onlyADurationAloneSaysWhenAPieceIsGone() {
        assertThat(Retention.parse("P30D").certainly()).contains(Duration.ofDays(30));
        assertThat(Retention.parse("P30D, last 1").certainly()).isEmpty();
        assertThat(Retention.FOREVER.certainly()).isEmpty();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "P29D | P30D | true",
                "P30D | P30D | false",
                "P31D | P30D | false",
                "P29D | P30D, last 3 | true",
                "P29D | forever | true",
                "last 3 | forever | true",
                "forever | P30D | false",
                "forever | forever | false",
                "P29D, last 3 | P30D | false",
                "P29D | last 3 | false",
                "last 2 | last 3 | false"
            })
    void shorterIsOnlyWhatTheWordsSay(String one, String other, boolean shorter) {
        assertThat(Retention.parse(one).isSurelyShorterThan(Retention.parse(other)))
                .isEqualTo(shorter);
    }
}
