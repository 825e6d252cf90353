using System.Net;
using Inferloop.Operations.Kubernetes;

namespace Inferloop.Tests.Operations.Kubernetes;

/// <summary>What is repeated when the way to a cluster comes and goes, and what never is.</summary>
public sealed class PatientHandlerTests
{
    [Theory]
    [InlineData("GET", "", 3)]
    [InlineData("PATCH", "", 3)]
    [InlineData("POST", "?dryRun=All", 3)]
    [InlineData("POST", "", 1)]
    [InlineData("PUT", "", 1)]
    [InlineData("DELETE", "", 1)]
    public async Task Only_what_does_no_more_when_done_twice_is_repeated(string method, string query, int tries)
    {
        var line = new Line(HttpStatusCode.ServiceUnavailable, null, HttpStatusCode.OK);
        using var client = Client(line);
        using var request = new HttpRequestMessage(new HttpMethod(method), "https://cluster/api/v1/x" + query) { Content = method == "GET" ? null : new StringContent("{}") };
        using var answer = await client.SendAsync(request, TestContext.Current.CancellationToken);
        Assert.Equal((tries, tries == 3 ? HttpStatusCode.OK : HttpStatusCode.ServiceUnavailable), (line.Tries, answer.StatusCode));
    }

    [Fact]
    public async Task A_cluster_that_stays_away_is_told_of_in_the_end()
    {
        var line = new Line([.. Enumerable.Repeat<HttpStatusCode?>(null, PatientHandler.Attempts)]);
        using var client = Client(line);
        await Assert.ThrowsAsync<HttpRequestException>(() => client.GetAsync(new Uri("https://cluster/version"), TestContext.Current.CancellationToken));
        Assert.Equal(PatientHandler.Attempts, line.Tries);

        // An answer that is one is not asked for again.
        var refused = new Line(HttpStatusCode.Forbidden);
        using var other = Client(refused);
        using var answer = await other.GetAsync(new Uri("https://cluster/version"), TestContext.Current.CancellationToken);
        Assert.Equal((HttpStatusCode.Forbidden, 1), (answer.StatusCode, refused.Tries));
    }

    private static HttpClient Client(Line line) => new(new PatientHandler(new Hurried()) { InnerHandler = line });

    /// <summary>Answers in turn; null is a connection that breaks.</summary>
    private sealed class Line(params HttpStatusCode?[] answers) : HttpMessageHandler
    {
        public int Tries { get; private set; }

        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
            answers[Tries++] is { } status ? Task.FromResult(new HttpResponseMessage(status)) : throw new HttpRequestException("the connection was reset");
    }

    /// <summary>Every wait is over at once.</summary>
    private sealed class Hurried : TimeProvider
    {
        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) => System.CreateTimer(callback, state, TimeSpan.Zero, period);
    }
}
