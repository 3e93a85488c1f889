package io.holdfast.modeswitch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.holdfast.standard.FormatException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class WriteAnswerTest {
    private static final WriteAnswer.Limits LIMITS = new WriteAnswer.Limits(2_000, 20_000);

    private static WriteAnswer unacknowledged(
            ReplicationState replication, AckPolicy policy, long waited) {
        return WriteAnswer.of(false, true, replication, policy, waited, LIMITS);
    }

    @ParameterizedTest
    @EnumSource
    void onlyAnAcknowledgementMakesAWriteProtected(ReplicationState replication) {
        for (AckPolicy policy : AckPolicy.values()) {
            for (long waited : new long[] {0, 1_999, 2_000, 19_999, 20_000, 1_000_000}) {
                assertThat(WriteAnswer.of(true, true, replication, policy, waited, LIMITS))
                        .isEqualTo(WriteAnswer.PROTECTED);
                assertThat(WriteAnswer.of(true, false, replication, policy, waited, LIMITS))
                        .as("whoever leads now: the index is at both sites")
                        .isEqualTo(WriteAnswer.PROTECTED);
                assertThat(unacknowledged(replication, policy, waited))
                        .isNotEqualTo(WriteAnswer.PROTECTED);
            }
        }
    }

    @ParameterizedTest
    @CsvSource({
        "SYNC,0,WAIT",
        "SYNC,19999,WAIT",
        "SYNC,20000,UNKNOWN",
        "ASYNC_WAIT,2000,WAIT",
        "ASYNC_WAIT,20000,UNKNOWN",
        "ASYNC,0,UNPROTECTED",
        "ASYNC,20000,UNPROTECTED",
        "CATCHUP,1999,WAIT",
        "CATCHUP,2000,UNPROTECTED",
        "CATCHUP,20000,UNPROTECTED"
    })
    void availabilityGoesOnAloneOnlyOnceTheRecordSaysSo(
            ReplicationState replication, long waited, WriteAnswer expected) {
        assertThat(unacknowledged(replication, AckPolicy.AVAILABILITY, waited)).isEqualTo(expected);
    }

    @ParameterizedTest
    @CsvSource({
        "SYNC,19999,WAIT", "SYNC,20000,UNKNOWN",
        "ASYNC_WAIT,19999,WAIT", "ASYNC,0,UNKNOWN",
        "CATCHUP,2000,WAIT", "CATCHUP,20000,UNKNOWN"
    })
    void protectionNeverAnswersUnprotected(
            ReplicationState replication, long waited, WriteAnswer expected) {
        assertThat(unacknowledged(replication, AckPolicy.PROTECTION, waited)).isEqualTo(expected);
    }

    @ParameterizedTest
    @EnumSource
    void whoeverLeadsNoMorePromisesNothing(ReplicationState replication) {
        for (AckPolicy policy : AckPolicy.values()) {
            assertThat(WriteAnswer.of(false, false, replication, policy, 0, LIMITS))
                    .isEqualTo(WriteAnswer.UNKNOWN);
        }
    }

    @Test
    void wordsOfThePolicy() {
        for (AckPolicy policy : AckPolicy.values()) {
            assertThat(AckPolicy.ofWord(policy.word())).isEqualTo(policy);
        }
        assertThatThrownBy(() -> AckPolicy.ofWord("safe"))
                .isInstanceOf(FormatException.class)
                .hasMessageContaining("safe")
                .hasMessageContaining("availability or protection");
    }
}
