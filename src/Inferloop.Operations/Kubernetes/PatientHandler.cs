using System.Net;

namespace Inferloop.Operations.Kubernetes;

/// <summary>
/// Repeats what a connection that comes and goes, or a control plane that is being replaced, has cut off. Only requests that do no more when they are
/// done twice: those that read, those that set what is to be, and rehearsals.
/// </summary>
internal sealed class PatientHandler(TimeProvider time) : DelegatingHandler
{
    /// <summary>How often a request is tried: for about a minute in all.</summary>
    public const int Attempts = 8;

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var isSafe = request.Method == HttpMethod.Get || request.Method == HttpMethod.Patch || request.RequestUri?.Query.Contains("dryRun=All", StringComparison.Ordinal) == true;
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                var answer = await base.SendAsync(request, cancellationToken).ConfigureAwait(false);
                if (!isSafe || attempt == Attempts || answer.StatusCode is not (HttpStatusCode.TooManyRequests or HttpStatusCode.InternalServerError or HttpStatusCode.BadGateway or HttpStatusCode.ServiceUnavailable or HttpStatusCode.GatewayTimeout))
                {
                    return answer;
                }

                answer.Dispose();
            }
            catch (Exception e) when (isSafe && attempt < Attempts && e is (HttpRequestException or IOException))
            {
                // Again, below.
            }

            await Task.Delay(TimeSpan.FromSeconds(Math.Min(16, 0.25 * Math.Pow(2, attempt))), time, cancellationToken).ConfigureAwait(false);
        }
    }
}
