using System.Net;
using System.Text;
using Amazon.CloudFormation;
using Amazon.CloudFormation.Model;
using Amazon.EKS;
using Amazon.EKS.Model;
using Inferloop.Aws;
using Inferloop.Tests.Aws.Fidelity;

namespace Inferloop.Tests.Aws;

public sealed class PaginationTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Pages_follow_each_other_until_there_is_no_token()
    {
        WireRecorder recorder = new();
        recorder.Answer = r => Xml(Form(r) switch
        {
            var form when form.Contains("NextToken=t2", StringComparison.Ordinal) => Page("c", null),
            var form when form.Contains("NextToken=t1", StringComparison.Ordinal) => Page("", "t2"),
            _ => Page("ab", "t1"),
        });
        using AwsSession session = Session(recorder);
        List<string> names = [];
        await foreach (Stack stack in session.Client<IAmazonCloudFormation>().Paginators.DescribeStacks(new DescribeStacksRequest()).Stacks.WithCancellation(Token))
        {
            names.Add(stack.StackName);
        }

        Assert.Equal(["a", "b", "c"], names);
        Assert.Equal(3, recorder.Requests.Count);
    }

    [Fact]
    public async Task The_next_page_is_asked_for_only_when_it_is_wanted()
    {
        WireRecorder recorder = new() { Answer = _ => Xml(Page("a", "more")) };
        using AwsSession session = Session(recorder);
        await foreach (DescribeStacksResponse page in session.Client<IAmazonCloudFormation>().Paginators.DescribeStacks(new DescribeStacksRequest()).Responses.WithCancellation(Token))
        {
            Assert.Single(page.Stacks);
            break;
        }

        Assert.Single(recorder.Requests);
    }

    [Fact]
    public async Task Tokens_travel_in_the_query_string_too()
    {
        WireRecorder recorder = new();
        recorder.Answer = r => new RecordedAnswer(HttpStatusCode.OK, "application/json", Encoding.UTF8.GetBytes(
            r.Uri.Query.Contains("nextToken=a%2Fb", StringComparison.Ordinal) ? """{"clusters":["two"]}""" : """{"clusters":["one"],"nextToken":"a/b"}"""));
        using AwsSession session = Session(recorder);
        List<string> names = [];
        await foreach (string name in session.Client<IAmazonEKS>().Paginators.ListClusters(new ListClustersRequest { MaxResults = 1 }).Clusters.WithCancellation(Token))
        {
            names.Add(name);
        }

        Assert.Equal(["one", "two"], names);
        Assert.All(recorder.Requests, r => Assert.Contains("maxResults=1", r.Uri.Query, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_paginator_is_for_one_use()
    {
        using AwsSession session = Session(new WireRecorder { Answer = _ => Xml(Page("a", null)) });
        IDescribeStacksPaginator pages = session.Client<IAmazonCloudFormation>().Paginators.DescribeStacks(new DescribeStacksRequest());
        await foreach (Stack stack in pages.Stacks.WithCancellation(Token))
        {
            Assert.Equal("a", stack.StackName);
        }

        await Assert.ThrowsAsync<System.InvalidOperationException>(async () => await pages.Stacks.GetAsyncEnumerator(Token).MoveNextAsync());
    }

    private static string Form(RecordedRequest request) => Encoding.UTF8.GetString(request.Body);

    private static RecordedAnswer Xml(string body) => new(HttpStatusCode.OK, "text/xml", Encoding.UTF8.GetBytes(body));

    private static string Page(string names, string? next) =>
        $"<DescribeStacksResponse xmlns=\"http://cloudformation.amazonaws.com/doc/2010-05-15/\"><DescribeStacksResult><Stacks>{string.Concat(names.Select(n => $"<member><StackName>{n}</StackName></member>"))}</Stacks>{(next is null ? "" : $"<NextToken>{next}</NextToken>")}</DescribeStacksResult></DescribeStacksResponse>";

    private static AwsSession Session(WireRecorder recorder) =>
        AwsSession.Create(new AwsConnectionOptions { AccessKey = "A", SecretKey = "s", Region = "us-east-1", HttpClientFactory = recorder });
}
