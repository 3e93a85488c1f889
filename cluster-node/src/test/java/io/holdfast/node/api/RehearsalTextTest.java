package io.holdfast.node.api;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.type.TypeReference;
import io.holdfast.node.rest.ApiJson;
import io.holdfast.node.rest.FakeNodeApi;
import io.holdfast.standard.RehearsalResource;
import java.util.UUID;
import org.junit.jupiter.api.Test;

class RehearsalTextTest {
    @Test
    void aPageSaysWhatWasShownAndWhatWasNot() {
        String page = RehearsalText.of(FakeNodeApi.rehearsal());
        assertThat(page)
                .contains(
                        "REHEARSAL GAPS",
                        "sandbox epoch 2.dr (namespace DRILL)",
                        "production stays in 1.local, untouched",
                        "writable                     812 ms",
                        "first restored byte          1.4 s",
                        "all samples compared         never",
                        "agent 127.50.4.22:3456 answers",
                        "SUSPENDED_IN_DR: no DR address",
                        "no agent with its key: sealed frames and manifest checked",
                        "17 hashes right",
                        "Problems: none",
                        "no agent that holds its key answers")
                .doesNotContain("null");
        assertThat(page.lines().count()).isLessThan(60);
    }

    @Test
    void theReportIsKeptWholeInItsResource() throws Exception {
        RehearsalView view = FakeNodeApi.rehearsal();
        RehearsalResource stored =
                RehearsalResource.of(
                        new RehearsalResource(
                                        "2026 d1",
                                        view.verdict().name(),
                                        ApiJson.print(view),
                                        RehearsalText.of(view))
                                .toResource(new UUID(1, 1)));
        RehearsalView back = ApiJson.read(stored.report(), new TypeReference<RehearsalView>() {});
        assertThat(back).isEqualTo(view);
        assertThat(back.notStored("no leader").notStored()).isEqualTo("no leader");
    }
}
