# Releases as an operator types them, on a sandbox whose clock runs fast.
BeforeAll {
    Import-Module (Join-Path $PSScriptRoot '../../Inferloop.psd1') -Force
    Start-InferloopSandbox -ClockRate 600 | Out-Null
    $sandbox = Get-InferloopSandbox
    $environment = New-InferloopEnvironment demo Dev -DatabaseEnabled $false -CacheEnabled $false 6> $null
    'v1', 'v2', 'v3', 'v4-crash', 'v5-vulnerable' | Add-InferloopSandboxImage inferloop/demo-dev | Out-Null

    function Measure-Width($text) { ($text -split "`n" | Measure-Object -Property Length -Maximum).Maximum }
    function Get-Image { (Get-InferloopEnvironment demo -SkipHealth).Spec.Application.ContainerImage }
}

AfterAll { Stop-InferloopSandbox }

Describe 'Publish-InferloopRelease' {
    It 'shows what would change with -WhatIf, at 100 columns, and changes nothing' {
        $before = Get-Image
        $text = Publish-InferloopRelease demo :v1 -WhatIf | Out-String -Width 100
        $text | Should -Match 'Replace +Ecs/TaskDefinition'
        Measure-Width $text | Should -BeLessOrEqual 100
        Get-Image | Should -Be $before
    }

    It 'runs the digest, down the pipeline' {
        $release = $environment | Publish-InferloopRelease -Image :v1 6> $null
        $release.Status | Should -Be 'Succeeded'
        $release.Image | Should -Match '@sha256:[0-9a-f]{64}$'
        Get-Image | Should -Be $release.Image
    }

    It 'refuses <image> with <id> before anything changes, and says what to do' -ForEach @(
        @{ image = ':nope'; id = 'ImageNotFound'; action = 'describe-images' }
        @{ image = 'nowhere:v1'; id = 'ImageNotFound'; action = 'describe-repositories' }
        @{ image = 'nginx'; id = 'ImageNotInEcr'; action = 'repository:tag' }
        @{ image = ':v5-vulnerable'; id = 'ImageVulnerable'; action = '-BlockSeverity' }
    ) {
        $failure = { Publish-InferloopRelease demo -Image $image } | Should -Throw -PassThru
        $failure.FullyQualifiedErrorId | Should -BeLike "$id,*"
        $failure.ErrorDetails.RecommendedAction | Should -Match ([regex]::Escape($action))
    }

    It 'takes a version back that crashes, with the last line of its log' {
        $before = Get-Image
        $failure = { Publish-InferloopRelease demo :v4-crash 3> $null 6> $null } | Should -Throw -PassThru
        $failure.FullyQualifiedErrorId | Should -BeLike 'ReleaseCrashLoop,*'
        $failure.Exception.Message | Should -Match 'the application could not start'
        $failure.TargetObject.Status | Should -Be 'RolledBack'
        Get-Image | Should -Be $before
    }

    It 'waits for approval, goes on, and no later update brings the old image back' {
        $warnings = $null
        $paused = Publish-InferloopRelease demo :v2 -Strategy BlueGreen -BakeMinutes 0 -Approval $true -WarningVariable warnings 3> $null 6> $null
        $paused.Status | Should -Be 'Paused'
        $paused.NextStep | Should -Match 'Approve-InferloopRelease demo'
        $warnings | Should -BeNullOrEmpty
        { Publish-InferloopRelease demo :v3 } | Should -Throw -ErrorId 'ReleaseInProgress,*'
        ($paused | Approve-InferloopRelease 6> $null).Status | Should -Be 'Succeeded'
        Set-InferloopEnvironment demo -LogLevel Error -ReleaseApproval $false 6> $null
        Get-Image | Should -Be $paused.Image
        Get-InferloopDrift demo | Should -BeNullOrEmpty
    }
}

Describe 'Get-, Undo- and Stop-InferloopRelease' {
    It 'has the history, the newest first, at 100 columns' {
        $text = Get-InferloopRelease demo | Out-String -Width 100
        Measure-Width $text | Should -BeLessOrEqual 100
        $text | Should -Match 'v2 +BlueGreen +Succeeded'
        $text | Should -Match 'v4-crash +Rolling +RolledBack'
        (Get-InferloopRelease demo).Version | Should -Be 'v2', 'v4-crash', 'v1', 'latest'
    }

    It 'brings back the one before' {
        $undone = Undo-InferloopRelease demo -Strategy Rolling 6> $null
        $undone.Version | Should -Be 'v1'
        $undone.Restores | Should -Be (Get-InferloopRelease demo)[3].Id
    }

    It 'says that there is nothing to stop or to approve' {
        { Stop-InferloopRelease demo } | Should -Throw -ErrorId 'ReleaseNotRunning,*'
        { Approve-InferloopRelease demo } | Should -Throw -ErrorId 'ReleaseNotPaused,*'
        { Get-InferloopRelease demo -Id nonsense } | Should -Throw -ErrorId 'ReleaseNotFound,*'
    }

    It 'goes on in AWS when it is stopped in the middle, and the same command takes it up' {
        $shell = [powershell]::Create([System.Management.Automation.RunspaceMode]::NewRunspace)
        try {
            $null = $shell.AddScript('param($manifest, $endpoint, $credential) Import-Module $manifest; Publish-InferloopRelease demo :v3 -Strategy BlueGreen -BakeMinutes 60 -EndpointUrl $endpoint -Credential $credential -Region us-east-1').
                AddArgument((Join-Path $PSScriptRoot '../../Inferloop.psd1')).AddArgument($sandbox.EndpointUrl).AddArgument($sandbox.GetCredential())
            $null = $shell.BeginInvoke()
            $limit = [datetime]::UtcNow.AddSeconds(60)
            while ((Get-InferloopRelease demo -Current).LifecycleStage -ne 'BAKE_TIME' -and [datetime]::UtcNow -lt $limit) { Start-Sleep -Milliseconds 100 }
            $shell.Stop()
            "$($shell.Streams.Warning)" | Should -Match 'goes on in AWS'
        }
        finally { $shell.Dispose() }
        $open = Get-InferloopRelease demo -Current
        $open.Status | Should -Be 'Running'
        $end = Publish-InferloopRelease demo :v3 6> $null
        $end.Id | Should -Be $open.Id
        $end.Status | Should -Be 'Succeeded'
    }
}

Describe 'The aws CLI' {
    It 'sees the same' {
        if (-not (Get-Command aws -CommandType Application -ErrorAction Ignore)) { Set-ItResult -Skipped -Because 'the aws CLI is not installed'; return }
        $kept = @{}
        foreach ($pair in $sandbox.GetEnvironmentVariables().GetEnumerator()) {
            $kept[$pair.Key] = [Environment]::GetEnvironmentVariable($pair.Key)
            [Environment]::SetEnvironmentVariable($pair.Key, $pair.Value)
        }
        try {
            $release = Get-InferloopRelease demo -Current
            $seen = (aws ecs describe-service-deployments --service-deployment-arns $release.ServiceDeploymentArn | ConvertFrom-Json).serviceDeployments[0]
            $seen.status | Should -Be 'SUCCESSFUL'
            $seen.targetServiceRevision.arn | Should -Be ($release.Revisions | Where-Object IsNew).Arn
            $revision = (aws ecs describe-service-revisions --service-revision-arns $seen.targetServiceRevision.arn | ConvertFrom-Json).serviceRevisions[0]
            $revision.containerImages[0].image | Should -Be $release.Image
            (aws cloudformation describe-stacks --stack-name inferloop-demo-dev --query "Stacks[0].Parameters[?ParameterKey=='ContainerImage'].ParameterValue" --output text) | Should -Be $release.Image
        }
        finally { foreach ($name in $kept.Keys) { [Environment]::SetEnvironmentVariable($name, $kept[$name]) } }
    }
}
